package auth

import (
	"fmt"
	"strings"
	"testing"

	"mailauthd/internal/authlog"
)

const (
	box1 = "box1 192.0.2.1:143"
	box2 = "box2 [2001:db8::1]:143"
)

func TestDecisions(t *testing.T) {
	const (
		mismatch  = "password does not match the entry in the map"
		noEntry   = "no such user in the map"
		unlisted  = "domain is not listed in [domains]"
		half      = "user name without a local part or a domain"
		character = "not a domain name: space, control or other character that no domain has"
		lost      = `server "lost": host "lost.invalid" has not been resolved so far`
	)
	for _, tt := range []struct {
		name string
		in   ask
		want result
	}{
		{"right password", ask{user: "alice@users.example", pass: right}, accepted(box1)},
		{"pop3", ask{protocol: "pop3", user: "alice@users.example", pass: right}, accepted("box1 192.0.2.1:110")},
		{"smtp", ask{protocol: "smtp", user: "alice@users.example", pass: right}, accepted("box1 192.0.2.1:25")},
		{"wrong password", ask{user: "alice@users.example", pass: wrong}, refused(box1, authlog.PasswordMismatch, mismatch)},
		{"password in capitals", ask{user: "alice@users.example", pass: strings.ToUpper(right)}, refused(box1, authlog.PasswordMismatch, mismatch)},
		{"password and a space", ask{user: "alice@users.example", pass: right + " "}, refused(box1, authlog.PasswordMismatch, mismatch)},
		{"empty password", ask{user: "alice@users.example"}, refused("", authlog.Policy, "empty password")},
		{"unknown user", ask{user: "bob@users.example", pass: right}, refused(box1, authlog.UserUnknown, noEntry)},
		{"domain without users", ask{user: "alice@empty.example", pass: right}, refused(box1, authlog.UserUnknown, noEntry)},
		{"case of the user name", ask{user: "ALICE@users.example", pass: right}, accepted(box1)},
		{"case of the domain", ask{user: "alice@Users.EXAMPLE", pass: right}, accepted(box1)},

		{"unlisted domain", ask{user: "alice@other.example", pass: right}, refused("", authlog.UserUnknown, unlisted)},
		{"look-alike domain", ask{user: "alice@evilusers.example", pass: right}, refused("", authlog.UserUnknown, unlisted)},
		{"longer domain", ask{user: "alice@users.example.evil", pass: right}, refused("", authlog.UserUnknown, unlisted)},
		{"subdomain", ask{user: "alice@a.users.example", pass: right}, refused("", authlog.UserUnknown, unlisted)},
		{"parent domain", ask{user: "alice@example", pass: right}, refused("", authlog.UserUnknown, unlisted)},
		{"wildcard", ask{user: "alice@a.wild.example", pass: right}, accepted(box2)},
		{"wildcard, deeper", ask{user: "alice@c.b.wild.example", pass: right}, accepted(box2)},
		{"wildcard, wrong password", ask{user: "alice@a.wild.example", pass: wrong}, refused(box2, authlog.PasswordMismatch, mismatch)},
		{"wildcard, user of a sibling", ask{user: "alice@b.wild.example", pass: right}, refused(box2, authlog.UserUnknown, noEntry)},
		{"wildcard's parent", ask{user: "alice@wild.example", pass: right}, refused("", authlog.UserUnknown, unlisted)},
		{"wildcard's look-alike", ask{user: "alice@evilwild.example", pass: right}, refused("", authlog.UserUnknown, unlisted)},
		{"the wildcard itself", ask{user: "alice@*.wild.example", pass: right}, refused("", authlog.UserUnknown, character)},
		{"IDNA, U-label", ask{user: "alice@bücher.example", pass: right}, accepted(box1)},
		{"IDNA, A-label", ask{user: "alice@xn--bcher-kva.example", pass: right}, accepted(box1)},
		{"IDNA, capitals", ask{user: "alice@BÜCHER.Example", pass: right}, accepted(box1)},
		{"IDNA, not UTF-8", ask{user: "alice@b\xfccher.example", pass: right}, refused("", authlog.UserUnknown, "not a domain name: neither ASCII nor UTF-8")},

		{"no user name", ask{pass: right}, refused("", authlog.UserUnknown, half)},
		{"no domain", ask{user: "alice", pass: right}, refused("", authlog.UserUnknown, half)},
		{"empty domain", ask{user: "alice@", pass: right}, refused("", authlog.UserUnknown, half)},
		{"no local part", ask{user: "@users.example", pass: right}, refused("", authlog.UserUnknown, half)},
		{"two @", ask{user: "alice@users.example@users.example", pass: right}, refused(box1, authlog.UserUnknown, noEntry)},
		{"two @ in the map", ask{user: "a@b@users.example", pass: right}, accepted(box1)},
		{"dot at the end", ask{user: "alice@users.example.", pass: right}, refused("", authlog.UserUnknown, "not a domain name: empty label")},
		{"address literal", ask{user: "alice@[192.0.2.1]", pass: right}, refused("", authlog.UserUnknown, character)},
		{"space before the domain", ask{user: "alice@ users.example", pass: right}, refused("", authlog.UserUnknown, character)},

		{"entry in an upstream domain", ask{user: "alice@mixed.example", pass: right}, accepted(box1)},
		{"entry in an upstream domain, wrong password", ask{user: "alice@mixed.example", pass: wrong}, refused(box1, authlog.PasswordMismatch, mismatch)},
		{"server not resolved", ask{user: "alice@lost.example", pass: right}, troubled("lost", lost)},
		{"server not resolved, wrong password", ask{user: "alice@lost.example", pass: wrong}, troubled("lost", lost)}, // else the right one would show
		{"server not resolved, unknown user", ask{user: "bob@lost.example", pass: right}, troubled("lost", lost)},
		{"server to ask not resolved", ask{user: "bob@lost-upstream.example", pass: right}, troubled("lost", lost)},
	} {
		t.Run(tt.name, func(t *testing.T) { check(t, newAuth(t), tt.in, tt.want) })
	}
}

func TestDefaultDomain(t *testing.T) {
	const mismatch = "password does not match the entry in the map"
	for _, tt := range []struct {
		name string
		in   ask
		want result
	}{
		{"is added", ask{user: "alice", pass: right}, accepted(box1).as("alice@users.example")},
		{"is added to the client's spelling", ask{user: "Alice", pass: right}, accepted(box1).as("Alice@users.example")},
		{"is not added to another", ask{user: "alice@a.wild.example", pass: right}, accepted(box2)},
		{"is not added to itself", ask{user: "alice@users.example", pass: right}, accepted(box1)},
		{"is not added after an @", ask{user: "alice@", pass: right},
			refused("", authlog.UserUnknown, "user name without a local part or a domain")},
		{"with a wrong password", ask{user: "alice", pass: wrong}, refused(box1, authlog.PasswordMismatch, mismatch)},
		{"with no user name", ask{pass: right},
			refused("", authlog.UserUnknown, "user name without a local part or a domain")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuth(t)
			a.DefaultDomain = "users.example"
			check(t, a, tt.in, tt.want)
		})
	}
}

// TestMethods: what the configuration does not offer is refused, and a token is never
// taken for a password.
func TestMethods(t *testing.T) {
	forbidden := func(m string) string { return "method " + m + " is not in [auth] methods" }
	unsupported := func(m string) string { return "method " + m + " is not supported" }
	plainOnly, noPlain := []string{"plain"}, []string{"apop"}
	user := "alice@users.example"
	for _, tt := range []struct {
		methods []string // nil: all of them
		in      ask
		want    result
	}{
		{nil, ask{method: "xoauth2", user: user, pass: right}, refused("", authlog.Policy, unsupported("xoauth2"))},
		{nil, ask{method: "oauthbearer", user: user, pass: right}, refused("", authlog.Policy, unsupported("oauthbearer"))},
		{[]string{"xoauth2"}, ask{method: "xoauth2", user: user, pass: right}, refused("", authlog.Policy, unsupported("xoauth2"))},
		{plainOnly, ask{method: "apop", protocol: "pop3", user: user, pass: right, salt: salt}, refused("", authlog.Policy, forbidden("apop"))},
		{plainOnly, ask{method: "cram-md5", user: user, pass: right, salt: salt}, refused("", authlog.Policy, forbidden("cram-md5"))},
		{plainOnly, ask{method: "external", user: user}, refused("", authlog.Policy, forbidden("external"))},
		{plainOnly, ask{method: "none", protocol: "smtp"}, troubled("", forbidden("none")).code("451 4.3.0")}, // the mail is to be queued, not bounced
		{plainOnly, ask{user: user, pass: right}, accepted(box1)},
		{noPlain, ask{user: user, pass: right}, refused("", authlog.Policy, forbidden("plain"))},
		{[]string{}, ask{user: user, pass: right}, refused("", authlog.Policy, forbidden("plain"))},
	} {
		name := fmt.Sprintf("%s of %q", tt.in.withDefaults().method, tt.methods)
		t.Run(name, func(t *testing.T) {
			a := newAuth(t)
			if tt.methods != nil {
				a.Methods = tt.methods
			}
			check(t, a, tt.in, tt.want)
		})
	}
}

// Older versions of nginx send the last client's user name and password with none.
func TestStaleCredentialsAreIgnored(t *testing.T) {
	stale := ask{method: "none", protocol: "smtp", user: "alice@users.example", pass: right}
	_, event := answer(t, newAuth(t), stale.header())
	if event.User != "" || event.Outcome == "ok" {
		t.Errorf("event %+v", event)
	}
}
