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
		for name, endpoint := range s.endpoints {
			head, _ := endpoint.ask(h)
			wantForbidden(t, name, head)
		}
	}
	head, _ := s.endpoints["http"].ask(with("hunter2-hunter2-new", "x")) // with FastCGI a duplicate header closes the connection
	wantForbidden(t, "duplicate", head)
	said := s.stderr.String()
	if n := strings.Count(said, "request refused: wrong or missing secret"); n == 0 || n > 3 || strings.Contains(said+s.readLog(), "hunter2") {
		t.Errorf("standard error: %s", said)
	}
	if n := strings.Count(s.readLog(), "Auth-Status:"); n != 2*len(s.endpoints) {
		t.Errorf("%d logins in the log", n)
	}
}

func wantForbidden(t *testing.T, name, head string) {
	t.Helper()
	if strings.Contains(head, "Auth-") || !strings.Contains(head, " 403 ") {
		t.Errorf("%s: %q", name, head)
	}
}

func TestClientOf(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.1:25": "192.0.2.1", "[2001:db8::1]:25": "2001:db8::1", "192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"": "invalid IP", "@": "invalid IP", "fe80::1%eth0": "fe80::1", "x\nlevel=ERROR": "invalid IP",
	} {
		if got := clientOf(&http.Request{RemoteAddr: from}).String(); got != want {
			t.Errorf("%q: %s, want %s", from, got, want)
		}
	}
}
