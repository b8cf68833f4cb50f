package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// logLine is the layout of auth.php's log: time, and a value at column 16.
var logLine = regexp.MustCompile(`^(\d{8} \d\d:\d\d:\d\d'\d{6}): (.*)$`)

// The lines of one login in auth.log, without their times.
var (
	upstreamEntry = []string{
		`Auth-Method:   plain`,
		`Auth-User:     bob@domain1\.com`,
		`Auth-Salt:     `,
		`Auth-Protocol: imap`,
		`Client-IP:     127\.0\.0\.1`,
		`Auth-SSL:      on`,
		`backend_ip:    127\.0\.0\.1`,
		`backend_port:  IMAPPORT`,
		`Auth reply:    \S+ OK .*`,
		`Auth-Status:   OK`,
	}
	usersEntry = []string{
		`Auth-Method:   plain`,
		`Auth-User:     alice@domain02\.com`,
		`Auth-Salt:     `,
		`Auth-Protocol: imap`,
		`Client-IP:     127\.0\.0\.1`,
		`Auth-SSL:      on`,
		`backend_ip:    127\.0\.0\.1`,
		`backend_port:  IMAPPORT`,
		`Auth-Status:   OK`,
	}
	refusedEntry = []string{
		`Auth-Method:   plain`,
		`Auth-User:     bob@evildomain1\.com`,
		`Auth-Salt:     `,
		`Auth-Protocol: imap`,
		`Client-IP:     127\.0\.0\.1`,
		`Auth-SSL:      on`,
		`Reason:        user_unknown`,
		`Auth-Status:   Invalid login or password`,
	}
)

// TestAuthLog checks the entries in auth.log of logins through a whole deployment. Every test checks that
// there is no password in the log.
func TestAuthLog(t *testing.T) {
	t.Parallel()
	d := deploy(t, webServers[0], []account{bob, alice}, bobAndAlice(t))
	logins := []struct {
		account
		status int
		entry  []string
	}{
		{bob, 0, upstreamEntry},
		{alice, 0, usersEntry},
		{account{"bob@evildomain1.com", bob.password}, loginDenied, refusedEntry},
	}
	var want []string
	for _, l := range logins {
		if s := curlSession(t, d.site, "imap", "AUTH=PLAIN", l.account, ""); s.status != l.status {
			t.Errorf("%s: exit status %d, want %d; the client's trace:\n%s", l.user, s.status, l.status, s.trace)
		}
		want = append(want, l.entry...)
	}
	var got []string
	complete := func() bool {
		got = strings.Split(strings.TrimSuffix(readFile(t, d.daemon.authLog), "\n"), "\n")
		return len(got) >= len(want)
	}
	if !poll(5*time.Second, nil, complete) || len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for i, line := range got {
		checkLogLine(t, line, strings.Replace(want[i], "IMAPPORT", strconv.Itoa(d.dovecot.imap), 1))
	}
}

func checkLogLine(t *testing.T, line, want string) {
	t.Helper()
	parts := logLine.FindStringSubmatch(line)
	if parts == nil {
		t.Errorf("line %q has not the layout %v", line, logLine)
		return
	}
	if !regexp.MustCompile(`^` + want + `$`).MatchString(parts[2]) {
		t.Errorf("line %q, want %s", line, want)
	}
	// The configuration says Europe/Moscow, which is three hours ahead all year.
	written := strings.Replace(parts[1], "'", ".", 1) // time.Parse takes no other sign before a fraction
	at, err := time.ParseInLocation("20060102 15:04:05.000000", written, time.FixedZone("MSK", 3*60*60))
	if age := time.Since(at); err != nil || age < -time.Second || age > time.Minute {
		t.Errorf("line %q: not of the last minute (%v)", line, err)
	}
}
