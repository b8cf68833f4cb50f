package server

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// date is what net/http/fcgi adds to every answer.
var date = regexp.MustCompile(`Date: [^\r]*\r\n`)

// The answers are those of auth.php, without any other header: nginx has a buffer of 1024 bytes.
func TestAnswersToTheByte(t *testing.T) {
	s := start(t, "[users.", `
[domains."lost.example"]
servers = ["lost"]
[servers.lost]
host = "lost.invalid"
[auth]
default_domain = "users.example"
[users.`)
	pop3 := login("alice@users.example", password)
	pop3.Set("Auth-Protocol", "pop3")
	smtp := login("bob@lost.example", password)
	smtp.Set("Auth-Protocol", "smtp")
	for _, tt := range []struct {
		name   string
		header http.Header
		fields string
	}{
		{"ok", good, "Auth-Port: 143\r\nAuth-Server: 192.0.2.1\r\nAuth-Status: OK\r\n"},
		{"ok with pop3", pop3, "Auth-Port: 110\r\nAuth-Server: 192.0.2.1\r\nAuth-Status: OK\r\n"},
		{"ok with the default domain", login("alice", password),
			"Auth-Port: 143\r\nAuth-Server: 192.0.2.1\r\nAuth-Status: OK\r\nAuth-User: alice@users.example\r\n"},
		{"wrong password", bad, "Auth-Status: " + failed + "\r\n"},
		{"unknown domain", login("alice@evilusers.example", password), "Auth-Status: " + failed + "\r\n"},
		{"trouble", login("bob@lost.example", password), "Auth-Status: " + trouble + "\r\n"},
		{"trouble with smtp", smtp, "Auth-Error-Code: 454 4.7.0\r\nAuth-Status: " + trouble + "\r\n"},
	} {
		for name, d := range s.endpoints {
			head, err := d.ask(tt.header)
			if err != nil {
				t.Errorf("%s, %s: %v", tt.name, name, err)
			}
			want := "Status: 200 OK\r\n" + tt.fields + "\r\n"
			if name == "http" {
				want = "HTTP/1.0 200 OK\r\n" + tt.fields + "Content-Length: 0\r\n\r\n"
			} else {
				head = date.ReplaceAllString(head, "")
			}
			if head != want {
				t.Errorf("%s, %s: got %q\nwant %q", tt.name, name, head, want)
			}
		}
	}
}

// For any request nginx gets an answer that it can read, and the log an entry.
func TestOddRequestsAreRejected(t *testing.T) {
	s := start(t)
	long := login(strings.Repeat("u", 60<<10), password)
	latin1 := login("alice@users.ex\xe4mple", password)
	for _, tt := range []struct {
		name   string
		header http.Header
		logged string
	}{
		{"no headers", nil, "Auth-User:     \n"},
		{"user name of 60 KiB", long, "Auth-User:     " + strings.Repeat("u", 1024) + "...\n"},
		{"not UTF-8", latin1, `Auth-User:     alice@users.ex\xe4mple` + "\n"},
	} {
		for name := range s.endpoints {
			_ = os.Remove(s.log)
			if err := s.Reopen(); err != nil {
				t.Fatal(err)
			}
			s.want(name, tt.header, failed)
			for _, line := range []string{tt.logged, "Auth-Status:   " + failed + "\n"} {
				if log := s.readLog(); !strings.Contains(log, line) {
					t.Errorf("%s, %s: no line %.40q in the log: %.500q", tt.name, name, line, log)
				}
			}
		}
	}
	s.wantEverywhere(good, "OK")
}

// Passwords never reach a log, whatever the outcome of the login.
func TestLogsHoldNoPassword(t *testing.T) {
	const marker = "hunter2"
	s := start(t, "{PLAIN}right+%20", "{PLAIN}"+marker)
	s.wantEverywhere(login("alice@users.example", marker), "OK")
	s.wantEverywhere(login("alice@users.example", marker+"x"), failed)
	s.wantEverywhere(login("alice", marker), failed)
	s.wantEverywhere(login("alice@users.example", marker+"%00"), failed)
	s.wantEverywhere(http.Header{"Auth-Pass": {marker}}, failed)
	if log := s.readLog(); strings.Contains(log, marker) || strings.Contains(s.stderr.String(), marker) {
		t.Errorf("a password is in a log: %s\n%s", log, s.stderr)
	}
}

func TestStartRefuses(t *testing.T) {
	taken := start(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "mailauthd.toml")
	listen := func(address string) string {
		return "[listen]\nhttp = [\"" + address + "\"]\n[log]\nfile = \"" + dir + "/auth.log\"\n" + common
	}
	for _, tt := range []struct{ name, text, want string }{
		{"not TOML", "listen = =\n", path + ":1: not valid TOML"},
		{"a wrong value", listen("127.0.0.1:0"), path + ":2: listen.http: "},
		{"an address that is taken", listen(taken.endpoints["http"].address), "listen on " + taken.endpoints["http"].address + ": "},
	} {
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Start(path, "v1", slog.New(slog.DiscardHandler))
		if s != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: Start = %v, %v; want %q", tt.name, s, err, tt.want)
		}
	}
	if _, err := Start(filepath.Join(dir, "none.toml"), "v1", slog.New(slog.DiscardHandler)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: Start = %v", err)
	}
	taken.wantEverywhere(good, "OK")
}
