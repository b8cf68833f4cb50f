package server

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const legacyEntry = `TIME: Auth-Method:   plain
TIME: Auth-User:     alice@users.example
TIME: Auth-Salt:     
TIME: Auth-Protocol: imap
TIME: Client-IP:     203.0.113.5
TIME: Auth-SSL:      
TIME: backend_ip:    192.0.2.1
TIME: backend_port:  143
TIME: Auth-Status:   OK
`

const jsonEntry = `{"time":"TIME","auth_method":"plain","auth_user":"alice@users.example","auth_salt":"",` +
	`"auth_protocol":"imap","client_ip":"203.0.113.5","auth_ssl":"","server":"box1",` +
	`"backend_ip":"192.0.2.1","backend_port":143,"auth_status":"OK","outcome":"ok","duration_us":N}
`

var (
	times     = regexp.MustCompile(`\d{8} \d\d:\d\d:\d\d'\d{6}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`)
	durations = regexp.MustCompile(`"duration_us":\d+`)
)

// wantLog compares a log, except its times.
func wantLog(t *testing.T, got, want string) {
	t.Helper()
	got = times.ReplaceAllString(got, "TIME")
	got = durations.ReplaceAllString(got, `"duration_us":N`)
	if got != want {
		t.Errorf("log:\n%s\nwant:\n%s", got, want)
	}
}

func TestReloadChangesTheLog(t *testing.T) {
	s := start(t)
	s.want("unix", good, "OK")
	s.want("http", good, "OK")
	wantLog(t, s.readLog(), legacyEntry+legacyEntry)
	s.reload(`format = "legacy"`, `format = "json"`)
	s.want("tcp", good, "OK")
	wantLog(t, s.readLog(), legacyEntry+legacyEntry+jsonEntry)

	old := s.log
	s.log += ".2"
	s.reload()
	s.want("http", good, "OK")
	wantLog(t, s.readLog(), legacyEntry)
	s.log = old
	wantLog(t, s.readLog(), legacyEntry+legacyEntry+jsonEntry)
}

// logrotate renames the file and then sends SIGUSR1.
func TestReopen(t *testing.T) {
	s := start(t)
	s.want("unix", good, "OK")
	rotated := s.log + ".1"
	if err := os.Rename(s.log, rotated); err != nil {
		t.Fatal(err)
	}
	s.want("http", good, "OK") // goes to the file that was renamed
	if err := s.Reopen(); err != nil {
		t.Fatal(err)
	}
	s.want("tcp", good, "OK")
	wantLog(t, s.readLog(), legacyEntry)
	s.log = rotated
	wantLog(t, s.readLog(), legacyEntry+legacyEntry)
}

// Without a log logins still work. Standard error says so, but not for each login.
func TestUnwritableLog(t *testing.T) {
	s := start(t)
	s.log = s.path + "/auth.log" // below a file, so not even root can create it
	s.reload()
	for range 3 {
		s.wantEverywhere(good, "OK")
	}
	if n := strings.Count(s.stderr.String(), "auth.log cannot be written"); n != 1 {
		t.Errorf("standard error says it %d times: %s", n, s.stderr)
	}
}
