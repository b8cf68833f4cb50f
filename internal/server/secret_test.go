package server

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.key")
	if err := os.WriteFile(file, []byte("hunter2-hunter2-new\nhunter2-hunter2-old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "[log]", "[auth]\nsecret = { header = \"x-auth-key\", file = \""+file+"\" }\n[log]")
	with := func(keys ...string) http.Header {
		h := good.Clone()
		h["X-Auth-Key"] = keys
		return h
	}
	s.wantEverywhere(with("hunter2-hunter2-new"), "OK")
	s.wantEverywhere(with("hunter2-hunter2-old"), "OK")
	for _, h := range []http.Header{good, with(""), with("hunter2-hunter2-ne"), with("hunter2-hunter2-newx")} {
		for name, door := range s.doors {
			head, _ := door.ask(h) // FastCGI ends the connection of who sends a header twice
			if strings.Contains(head, "Auth-") || head != "" && !strings.Contains(head, "403") {
				t.Errorf("%s: %q", name, head)
			}
		}
	}
	said := s.said.String()
	if n := strings.Count(said, "it does not show the secret"); n == 0 || n > 3 || strings.Contains(said+s.readLog(), "hunter2") {
		t.Errorf("said %s", said)
	}
	if n := strings.Count(s.readLog(), "Auth-Status:"); n != 2*len(s.doors) {
		t.Errorf("%d logins in the log", n)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	now := time.Unix(0, 0)
	if !r.first("a", now) || r.first("a", now.Add(refusalInterval-1)) || !r.first("a", now.Add(refusalInterval)) || !r.first("a", now.Add(-1)) {
		t.Error("not once in an interval")
	}
	for i := range 2 * maxRefused {
		r.first(fmt.Sprint(i), now)
	}
	if len(r.seen) > maxRefused {
		t.Errorf("%d addresses", len(r.seen))
	}
}
