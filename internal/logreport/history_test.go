package logreport

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mailauthd/internal/authlog"
)

func historyOf(keep int, list ...*authlog.Event) *HistoryReport {
	h := NewHistory("bob@x.example", keep, func(user string) bool { return strings.ToLower(user) == "bob@x.example" })
	for _, e := range list {
		h.Add(e)
	}
	return h.Report(Skipped{})
}

func TestHistoryText(t *testing.T) {
	list := failures()
	list[1].Error, list[1].SSL = "no match", "on"
	for _, tt := range []struct {
		name string
		list []*authlog.Event
		want string
	}{
		{"let in at last", list, `time                 user           outcome                      client     login           server  detail
2026-11-28 12:01:00  bob@x.example  reject password_mismatch     192.0.2.1  imap plain      box1    -
2026-11-28 12:02:00  Bob@x.example  reject password_mismatch     192.0.2.1  imap plain TLS  box1    no match
2026-11-28 12:03:00  bob@x.example  reject policy throttle=pair  192.0.2.1  imap plain      box1    -
2026-11-28 12:04:00  bob@x.example  ok                           192.0.2.3  imap plain      box1    -

bob@x.example: 1 login let in, 3 rejected, 0 temporary failures
reasons: password_mismatch 2, policy throttle=pair 1
`},
		{"never", list[1:2], `time                 outcome                   client     login           server  detail
2026-11-28 12:02:00  reject password_mismatch  192.0.2.1  imap plain TLS  box1    no match

bob@x.example: 0 logins let in, 1 rejected, 0 temporary failures
reasons: password_mismatch 1
no login let in; the last reason: password_mismatch: no match
    the password was wrong
`},
		{"no login", list[4:], "no login of bob@x.example: nginx did not ask about it, or the client sent another name\n"},
	} {
		var b strings.Builder
		historyOf(10, tt.list...).Text(&b)
		if b.String() != tt.want {
			t.Errorf("%s:\n%s\nwant:\n%s", tt.name, b.String(), tt.want)
		}
	}
}

// A history keeps the last logins, and counts all.
func TestHistoryLimit(t *testing.T) {
	for n := range 8 {
		var list []*authlog.Event
		for i := range n {
			list = append(list, login("bob@x.example", fmt.Sprint(i), authlog.PasswordMismatch, i))
		}
		r := historyOf(3, list...)
		if r.Rejected != n || r.LeftOut != max(n-3, 0) || len(r.Logins) != min(n, 3) {
			t.Errorf("%d logins: %+v", n, r)
		}
		for i, l := range r.Logins {
			if l.ClientIP != fmt.Sprint(r.LeftOut+i) {
				t.Errorf("%d logins: number %s is in place %d", n, l.ClientIP, i)
			}
		}
	}
}

func TestHistoryEscapes(t *testing.T) {
	const bad = "\x1b[2J\n"
	e := login(bad, bad, bad, 0)
	e.Method, e.Protocol, e.Server, e.Error, e.Status, e.Outcome, e.Throttle, e.Label, e.Cache = bad, bad, bad, bad, bad, bad, bad, bad, bad
	h := NewHistory(bad, 10, func(string) bool { return true })
	h.Add(e)
	r := h.Report(Skipped{})
	var b strings.Builder
	r.Text(&b)
	asJSON, err := json.Marshal(r)
	if err != nil || strings.ContainsAny(b.String()+string(asJSON), "\x1b") || strings.Contains(string(asJSON), `\u001b`) {
		t.Errorf("%v: %q, %s", err, b.String(), asJSON)
	}
}

// Each reason has a meaning, and each counter of the throttle a remedy.
func TestExplain(t *testing.T) {
	for _, reason := range []authlog.Reason{
		authlog.PasswordMismatch, authlog.UserUnknown, authlog.UserDisabled, authlog.Policy,
		authlog.SchemeNotAvailable, authlog.InternalFailure, authlog.Script,
	} {
		if text := explain(string(reason), ""); !strings.HasPrefix(text, string(reason)+"\n    ") {
			t.Errorf("%s: %q", reason, text)
		}
	}
	if text := explain("policy throttle=network", "throttle: x"); !strings.Contains(text, "throttle reset") {
		t.Error(text)
	}
	if text := explain("policy", "allow_nets"); text != "policy: allow_nets" {
		t.Error(text)
	}
}
