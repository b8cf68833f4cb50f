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
			head, _ := door.ask(h)
			wantForbidden(t, name, head)
		}
	}
	head, _ := s.doors["http"].ask(with("hunter2-hunter2-new", "x")) // FastCGI ends the connection of who sends a header twice
	wantForbidden(t, "twice", head)
	said := s.said.String()
	if n := strings.Count(said, "it does not show the secret"); n == 0 || n > 3 || strings.Contains(said+s.readLog(), "hunter2") {
		t.Errorf("said %s", said)
	}
	if n := strings.Count(s.readLog(), "Auth-Status:"); n != 2*len(s.doors) {
		t.Errorf("%d logins in the log", n)
	}
}

func wantForbidden(t *testing.T, asker, head string) {
	t.Helper()
	if strings.Contains(head, "Auth-") || !strings.Contains(head, " 403 ") {
		t.Errorf("%s: %q", asker, head)
	}
}

func TestRefusalsAreToldOnceAMinute(t *testing.T) {
	var r refusals
	start := time.Unix(0, 0)
	for i, tt := range []struct {
		address string
		at      time.Duration
		told    bool
	}{
		{"a", 0, true},
		{"a", refusalInterval - 1, false},
		{"b", refusalInterval - 1, true},
		{"a", refusalInterval, true},
		{"b", refusalInterval, false},
		{"a", -1, true}, // a clock that was set back
	} {
		if got := r.first(tt.address, start.Add(tt.at)); got != tt.told {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	start := time.Unix(0, 0)
	told := 0
	for i := range 4 * maxRefused {
		if r.first(fmt.Sprint(i), start.Add(time.Duration(i))) {
			told++
		}
	}
	if told != maxRefused || len(r.told) != maxRefused {
		t.Errorf("told of %d addresses, %d remembered", told, len(r.told))
	}
	later := start.Add(2 * refusalInterval)
	if !r.first("new", later) || r.first("new", later) || !r.first("0", later) {
		t.Error("old ones make no room")
	}
}
