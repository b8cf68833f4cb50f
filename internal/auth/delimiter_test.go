package auth

import (
	"fmt"
	"testing"
	"testing/synctest"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// withDelimiter has a domain whose users are in the map, and one whose users are checked at a server that lets
// everybody in; in both "+" begins an extension.
func withDelimiter(t *testing.T, delimiter string) *Authenticator {
	t.Helper()
	server := startScripted(t, "* OK hi", offered, "001 OK done")
	a := newUpstreamAuth(t, server.addr())
	up := a.Domains.Find("up.example").Servers
	setDomains(a,
		&route.Domain{Name: "users.example", Verify: route.VerifyUsers, Servers: up, RecipientDelimiter: delimiter},
		&route.Domain{Name: "up.example", Verify: route.VerifyUpstream, Servers: up, RecipientDelimiter: delimiter})
	one := []users.Password{{Hash: hashOf(t, "{PLAIN}"+right)}}
	var err error
	a.Directory, err = users.New([]users.User{
		{Name: alice, Passwords: one, Extra: &users.Settings{Aliases: []string{"info@users.example"}}},
		{Name: "alice+shop@users.example", Passwords: []users.Password{{Hash: hashOf(t, "{PLAIN}shop")}}},
		{Name: "dave@up.example", Extra: &users.Settings{Access: access.Rules{NoLogin: new(true)}}},
		{Name: "admin@users.example", Passwords: one, Extra: &users.Settings{Master: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRecipientDelimiter(t *testing.T) {
	const with, without = "+", ""
	for _, tt := range []struct {
		delimiter, user, pass string
		outcome               authhttp.Outcome
		reason                authlog.Reason
		name                  string // for nginx
	}{
		{with, "alice+x@users.example", right, authhttp.OK, "", alice},
		{with, "Alice+X+y@users.example", right, authhttp.OK, "", alice},
		{with, "info+x@users.example", right, authhttp.OK, "", alice},
		{with, "alice+x@users.example", wrong, authhttp.Reject, authlog.PasswordMismatch, ""},
		{with, "alice-x@users.example", right, authhttp.Reject, authlog.UserUnknown, ""},
		{with, "alice+shop@users.example", "shop", authhttp.OK, "", ""}, // an entry of its own
		{with, "alice+shop@users.example", right, authhttp.Reject, authlog.PasswordMismatch, ""},
		{with, "alice+x@users.example*admin+y@users.example", right, authhttp.OK, "", alice},
		{without, "alice+x@users.example", right, authhttp.Reject, authlog.UserUnknown, ""},
		{with, "dave@up.example", right, authhttp.Reject, authlog.UserDisabled, ""},
		{with, "dave+x@up.example", right, authhttp.Reject, authlog.UserDisabled, ""},
		{with, "tim+x@up.example", right, authhttp.OK, "", ""}, // as the client spelt it: the server knows its delimiter
		{without, "dave+x@up.example", right, authhttp.OK, "", ""},
	} {
		t.Run(fmt.Sprintf("%s with %q", tt.user, tt.delimiter), func(t *testing.T) {
			r, e := answer(t, withDelimiter(t, tt.delimiter), ask{user: tt.user, pass: tt.pass}.header())
			if r.Outcome != tt.outcome || e.Reason != tt.reason || r.User != tt.name {
				t.Errorf("%v %s, nginx logs in as %q (%s); want %v %s %q", r.Outcome, e.Reason, r.User, e.Error, tt.outcome, tt.reason, tt.name)
			}
		})
	}
}

// Guesses at a user count for one name, whatever extension they have, also for users that only the server knows.
func TestExtensionsCountForTheirUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		for _, domain := range []string{"users.example", "empty.example"} {
			a.Domains.Find(domain).RecipientDelimiter = "+"
			for i := range 3 {
				_, e := answer(t, a, from("192.0.2.1", fmt.Sprintf("alice+%d@%s", i, domain), fmt.Sprint(wrong, i)))
				if e.Reason != authlog.PasswordMismatch && e.Reason != authlog.UserUnknown {
					t.Errorf("%s: %s", e.User, e.Reason)
				}
			}
			wants(t, a, from("192.0.2.1", "alice@"+domain, right), authhttp.Reject, authlog.Policy, "pair")
			wants(t, a, from("192.0.2.1", "alice+x@"+domain, right), authhttp.Reject, authlog.Policy, "pair")
		}
	})
}

// Mail from outside to an extension is for its user.
func TestMailToAnExtension(t *testing.T) {
	for delimiter, outcome := range map[string]authhttp.Outcome{"+": authhttp.OK, "": authhttp.Reject} {
		a := withDelimiter(t, delimiter)
		h := ask{method: "none", protocol: "smtp"}.header()
		h.Set("Auth-Smtp-To", "RCPT TO:<alice+news@users.example>")
		if r, e := answer(t, a, h); r.Outcome != outcome {
			t.Errorf("with %q: %v (%s)", delimiter, r.Outcome, e.Error)
		}
	}
}
