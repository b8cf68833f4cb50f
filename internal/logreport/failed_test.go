package logreport

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/authlog"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func same(name string) string { return name }

// login is a failed login at some minutes after noon.
func login(user, client string, reason authlog.Reason, minutes int) *authlog.Event {
	at := noon.Add(time.Duration(minutes) * time.Minute)
	e := &authlog.Event{
		Start: at, End: at, Method: "plain", User: user, Protocol: "imap", ClientIP: client, Server: "box1",
		Status: "Invalid login or password", Outcome: "reject", Reason: reason,
	}
	switch reason {
	case "":
		e.Status, e.Outcome = "OK", ok
	case authlog.InternalFailure:
		e.Outcome = authlog.TempFail
	}
	return e
}

func failures() []*authlog.Event {
	throttled := login("bob@x.example", "192.0.2.1", authlog.Policy, 3)
	throttled.Throttle = "pair"
	atAddress := login("amy@x.example", "192.0.2.2", authlog.InternalFailure, 5)
	atAddress.Server, atAddress.Backend = "", netip.MustParseAddrPort("192.0.2.9:143")
	return []*authlog.Event{
		login("bob@x.example", "192.0.2.1", authlog.PasswordMismatch, 1),
		login("Bob@x.example", "192.0.2.1", authlog.PasswordMismatch, 2),
		throttled,
		login("bob@x.example", "192.0.2.3", "", 4),
		atAddress,
		login("", "", authlog.UserUnknown, 6),
	}
}

func TestFailed(t *testing.T) {
	for _, tt := range []struct {
		by   string
		want []string
	}{
		{"user", []string{"bob@x.example 3 password_mismatch 2", "(no name) 1 user_unknown 1", "amy@x.example 1 internal_failure 1"}},
		{"address", []string{"192.0.2.1 3 password_mismatch 2", "(no address) 1 user_unknown 1", "192.0.2.2 1 internal_failure 1"}},
		{"server", []string{"box1 4 password_mismatch 2", "192.0.2.9:143 1 internal_failure 1"}},
		{"reason", []string{
			"password_mismatch 2 password_mismatch 2", "user_unknown 1 user_unknown 1",
			"internal_failure 1 internal_failure 1", "policy throttle=pair 1 policy throttle=pair 1",
		}},
	} {
		f := NewFailed(tt.by, time.UTC, strings.ToLower)
		for _, e := range failures() {
			f.Add(e)
		}
		r := f.Report(0, Skipped{})
		var got []string
		for _, row := range r.Rows {
			got = append(got, fmt.Sprint(row.Key, " ", row.Failed, " ", row.Reason, " ", row.ReasonCount))
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("by %s: %q, want %q", tt.by, got, tt.want)
		}
		if r.Logins != 6 || r.Failed != 5 || r.TempFail != 1 || r.Others != (Others{}) {
			t.Errorf("by %s: %+v", tt.by, r)
		}
	}
}

func TestFailedText(t *testing.T) {
	f := NewFailed("user", time.UTC, strings.ToLower)
	for _, e := range failures() {
		f.Add(e)
	}
	var b strings.Builder
	f.Report(1, Skipped{authlog.Skipped{Torn: 2}, 1}).Text(&b)
	want := `user           failed  first                last                 most frequent reason
bob@x.example  3       2026-11-28 12:01:00  2026-11-28 12:03:00  password_mismatch (2)
(2 others)     2

5 of 6 logins failed (1 temporary failure), from 2026-11-28 12:01:00 to 2026-11-28 12:06:00
not read: 2 entries torn, or written by auth.php
not read: 1 line of more than 131072 bytes
`
	if b.String() != want {
		t.Errorf("text:\n%s\nwant:\n%s", b.String(), want)
	}
}

// Names from a log cannot control a terminal.
func TestFailedEscapes(t *testing.T) {
	for _, by := range Keys {
		f := NewFailed(by, time.UTC, same)
		e := login("a\x1b[2J\nb", "c\x1b[2J\n", "d\x1b\n", 0)
		e.Server, e.Throttle = "e\x1b\n", "f\x1b\n"
		f.Add(e)
		var b strings.Builder
		f.Report(0, Skipped{}).Text(&b)
		if strings.Contains(b.String(), "\x1b") || strings.Count(b.String(), "\n") != 4 {
			t.Errorf("by %s: %q", by, b.String())
		}
	}
}

// A flood of guessed names is bounded, and hides nobody who fails all the time. No login is left out of the sum.
func TestTableLimit(t *testing.T) {
	tab := newTable(100)
	for i := range 10_000 {
		tab.add(fmt.Sprint("guess", i), "r", int64(i))
		if i%10 == 0 {
			tab.add("bob", "r", int64(i))
		}
		if len(tab.rows) > 100 {
			t.Fatalf("%d rows", len(tab.rows))
		}
	}
	sum := tab.evicted
	for _, r := range tab.sorted() {
		sum += r.failed
	}
	if top := tab.sorted()[0]; top.key != "bob" || top.failed != 1000 || sum != 11_000 {
		t.Errorf("%s has failed most, %d times; %d failures in all", top.key, top.failed, sum)
	}
}

func TestLongKey(t *testing.T) {
	tab := newTable(10)
	tab.add("x"+strings.Repeat("ä", MaxKey), "r", 0)
	if key := tab.sorted()[0].key; key != "x"+strings.Repeat("ä", MaxKey/2-1) {
		t.Errorf("key of %d bytes: %q", len(key), key)
	}
}

func TestReasonsLimit(t *testing.T) {
	var r reasons
	for i := range 2 * MaxReasons {
		if n := r.index(fmt.Sprint(i)); n != min(i, MaxReasons-1) {
			t.Errorf("reason %d has the index %d", i, n)
		}
	}
	if r[MaxReasons-1] != otherReason || r.index("3") != 3 {
		t.Errorf("reasons %q", r)
	}
}
