package migrate

import (
	"strings"
	"testing"
	"time"
)

// FuzzLog checks that no log makes the reader panic, keep more than it may, or lose count: each entry ends as a login, as a
// refused one, or as one whose lines are missing.
func FuzzLog(f *testing.F) {
	twice := []int64{50_000, 50_000}
	bob := request{user: "bob@domain1.com", protocol: "imap", ip: "192.0.2.1", reply: okIMAP, took: twice}
	amy := request{start: 5, user: "a%20my@evildomain1.com", protocol: "pop3", ip: "192.0.2.2", reply: okPOP3, took: twice}
	f.Add(oldLog(bob, amy))
	f.Add(oldLog(bob, amy, request{start: 60, user: "cy@x", protocol: "imap", ip: "192.0.2.3"}, request{start: 90, user: "d", protocol: "smtp"}))
	f.Add(stamped(logLine{0, "Auth-Method", "plain"}) + stamped(logLine{1, "backend_port", "143"}) + stamped(logLine{2, "Auth-Status", "OK"}))
	f.Add("\x1f\x8b\x08\x00")
	f.Add("20260131 12:00:00'      : Auth-User:     x20260131 12:00:00'000001: Auth-User:     x\n")
	c := load(f, benchConfig)
	f.Fuzz(func(t *testing.T, log string) {
		l := NewLog(time.Time{}, time.UTC)
		_ = l.Read(strings.NewReader(log))
		g := &l.group
		if n := len(g.heads) + len(g.waiting) + len(g.replied); n != 0 {
			t.Errorf("%d entries are open at the end", n)
		}
		if len(g.free) > maxOpen || l.stored > maxStored {
			t.Errorf("%d entries are kept, and %d bytes", len(g.free), l.stored)
		}
		r := l.Report(c)
		if n := r.LetIn.Logins + r.Failed; n > l.entries || n+g.orphans < l.entries {
			t.Errorf("%d entries, but %d let in, %d refused, %d lines missing", l.entries, r.LetIn.Logins, r.Failed, g.orphans)
		}
		var text strings.Builder
		r.Text(&text)
		for _, line := range strings.Split(text.String(), "\n") {
			if strings.ContainsAny(line, "\x1b\x00\r") {
				t.Errorf("the report has control characters: %q", line)
			}
		}
	})
}
