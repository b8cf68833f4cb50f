package server

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

func TestAsker(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1:25": "192.0.2.1", "[2001:db8::1]:25": "2001:db8::1", "192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"": "invalid IP", "@": "invalid IP", "fe80::1%eth0": "fe80::1", "x\nlevel=ERROR": "invalid IP",
	} {
		if got := asker(&http.Request{RemoteAddr: from}).String(); got != want {
			t.Errorf("%q: %s, want %s", from, got, want)
		}
	}
}
