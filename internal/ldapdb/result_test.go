package ldapdb

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

func ad(code string) string {
	return "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data " + code + ", v3839\x00"
}

// TestAnswersToBinds has a server answer the bind of a known and of an unknown user.
func TestAnswersToBinds(t *testing.T) {
	tests := []struct {
		name, text string
		code       int
		known      Result
		unknown    Result
	}{
		{"success", "", 0, Accepted, Undecided},
		{"success with a message", ad("52e"), 0, Accepted, Undecided},
		{"49", "", 49, WrongPassword, NoSuchUser},
		{"49 with another message", "data 533", 49, WrongPassword, NoSuchUser},
		{"no such user", ad("525"), 49, NoSuchUser, NoSuchUser},
		{"logon failure", ad("52e"), 49, WrongPassword, NoSuchUser},
		{"hours", ad("530"), 49, NotNow, NoSuchUser},
		{"workstation", ad("531"), 49, NotHere, NoSuchUser},
		{"restriction", ad("52f"), 49, NotHere, NoSuchUser},
		{"expired", ad("532"), 49, PasswordExpired, NoSuchUser},
		{"disabled", ad("533"), 49, Disabled, NoSuchUser},
		{"account expired", ad("701"), 49, AccountExpired, NoSuchUser},
		{"must change", ad("773"), 49, MustChange, NoSuchUser},
		{"locked", ad("775"), 49, Locked, NoSuchUser},
		{"no logon servers", ad("51f"), 49, Undecided, Undecided},
		{"a longer code", ad("52ef"), 49, Undecided, Undecided},
		{"no such object", "", 32, Undecided, NoSuchUser},
		{"inactivated", "Account inactivated. Contact system administrator.", 53, Disabled, NoSuchUser},
		{"unwilling", "no global superior knowledge", 53, Undecided, Undecided},
		{"retry limit", "Exceed password retry limit. Please try later.", 19, Locked, NoSuchUser},
		{"constraint", "", 19, Undecided, Undecided},
		{"operations error", "", 1, Undecided, Undecided},
		{"protocol error", "", 2, Undecided, Undecided},
		{"stronger auth", "", 8, Undecided, Undecided},
		{"referral", "", 10, Undecided, Undecided},
		{"confidentiality", "", 13, Undecided, Undecided},
		{"sasl in progress", "", 14, Undecided, Undecided},
		{"invalid DN", "", 34, Undecided, Undecided},
		{"inappropriate", "", 48, Undecided, Undecided},
		{"access", "", 50, Undecided, Undecided},
		{"busy", "", 51, Undecided, Undecided},
		{"unavailable", "", 52, Undecided, Undecided},
		{"other", "", 80, Undecided, Undecided},
		{"unknown code", "", 4711, Undecided, Undecided},
		{"65536", "", 65536, Undecided, Undecided},
		{"256", "", 256, Undecided, Undecided},
		{"negative", "", -1, Undecided, Undecided},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := script(t, func(r request) bool {
				switch {
				case r.tag() == ldap.ApplicationBindRequest:
					r.result(test.code, test.text+" Right-Secret")
				case strings.Contains(string(r.op.Bytes()), "nobody"):
					r.result(0, "")
				default:
					r.normal()
				}
				return true
			})
			d := newDB(t, s.config())
			for user, want := range map[string]Result{"alice@example.com": test.known, "nobody@example.com": test.unknown} {
				got, err := bind(t, d, user, "Right-Secret")
				if got != want || (err != nil) != (want == Undecided) {
					t.Errorf("%s: %v, %v; want %v", user, got, err, want)
				}
				if err != nil && strings.Contains(err.Error(), "Secret") {
					t.Errorf("the error has the password: %v", err)
				}
			}
		})
	}
}

// The answer to a request that the server never got is no answer.
func TestWrongKindOfAnswer(t *testing.T) {
	s := script(t, func(r request) bool {
		if r.tag() == ldap.ApplicationBindRequest {
			r.id += 100
			r.result(0, "")
			return false
		}
		r.normal()
		return true
	})
	if got, err := bind(t, newDB(t, s.config()), "alice@example.com", "right"); got != Undecided || err == nil {
		t.Error(got, err)
	}
}

func TestResultStrings(t *testing.T) {
	seen := make(map[string]bool)
	for r := Undecided; r <= NotNow; r++ {
		seen[r.String()] = true
	}
	if len(seen) != int(NotNow)+1 {
		t.Errorf("%d different reasons", len(seen))
	}
}

// An entry without a DN would bind anonymously.
func TestEntryWithoutDN(t *testing.T) {
	s := script(t, func(r request) bool {
		if r.isRoot() {
			r.result(0, "")
			return true
		}
		r.entry("")
		r.result(0, "")
		return true
	})
	if e, err := newDB(t, s.config()).Lookup(context.Background(), "alice@example.com"); e != nil || err == nil {
		t.Error(e, err)
	}
}

// TestRefusalsTakeAsLong has refusals that compare no hash take as long as one that does.
func TestRefusalsTakeAsLong(t *testing.T) {
	const long = 50 * time.Millisecond
	s := script(t, func(r request) bool {
		switch {
		case r.tag() == ldap.ApplicationBindRequest && strings.Contains(string(r.op.Bytes()), "locked"):
			r.result(49, ad("775"))
		case strings.Contains(string(r.op.Bytes()), "nobody") && r.tag() == ldap.ApplicationSearchRequest:
			r.result(0, "")
		default:
			r.normal()
		}
		return true
	})
	byName := s.config()
	byName.BindUserDN = "uid=%{user}," + base
	tests := []struct {
		config   Config
		user     string
		password string
	}{
		{s.config(), "nobody@example.com", "wrong"},
		{s.config(), "nobody@example.com", "right"}, // is not sent
		{byName, "nobody@example.com", "wrong"},
		{byName, "alice@example.com", "wrong"},
		{byName, "locked@example.com", "right"},
	}
	for _, test := range tests {
		d := newDB(t, test.config)
		d.pace.compared(false, long)
		began := time.Now()
		if got, err := bind(t, d, test.user, test.password); got == Accepted || err != nil {
			t.Errorf("%s: %v, %v", test.user, got, err)
		}
		if took := time.Since(began); took < long {
			t.Errorf("%s: refused after %v", test.user, took)
		}
	}
	d := newDB(t, s.config())
	for _, password := range []string{"right", "wrong"} {
		bind(t, d, "alice@example.com", password)
	}
	if d.pace.accepted.n != 1 || d.pace.refused.n != 1 {
		t.Errorf("%d accepted and %d refused binds are remembered, want one each", d.pace.accepted.n, d.pace.refused.n)
	}
}
