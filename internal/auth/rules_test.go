package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// rule is one key of access.Rules as it lets a login in, and as it keeps it out.
type rule struct {
	name       string
	allow      access.Rules
	deny       access.Rules
	reason     authlog.Reason
	everywhere bool // stands in [auth] too
}

func rulesByKey() []rule {
	net := func(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
	return []rule{
		{"nologin", access.Rules{NoLogin: new(false)}, access.Rules{NoLogin: new(true)}, authlog.UserDisabled, false},
		{"expires", access.Rules{Expires: began.Add(time.Hour)}, access.Rules{Expires: began.Add(-time.Hour)}, authlog.UserDisabled, false},
		{"protocols", access.Rules{Protocols: []string{"imap"}}, access.Rules{Protocols: []string{"pop3"}}, authlog.Policy, false},
		{"require_tls", access.Rules{RequireTLS: new(false)}, access.Rules{RequireTLS: new(true)}, authlog.Policy, true},
		{"deny_nets", access.Rules{DenyNets: []netip.Prefix{}}, access.Rules{DenyNets: net("203.0.113.0/24")}, authlog.Policy, true},
		{"allow_nets", access.Rules{AllowNets: net("203.0.113.0/24")}, access.Rules{AllowNets: net("192.0.2.0/24")}, authlog.Policy, true},
	}
}

// at is the rule as it stands in one of the places.
func (r rule) at(place string) access.Rules {
	return map[string]access.Rules{"allows": r.allow, "denies": r.deny}[place]
}

// decides is what must count: the innermost place that has the key.
func decides(places ...string) string {
	for _, p := range places {
		if p != "is silent" {
			return p
		}
	}
	return "allows"
}

// TestInnermostRuleCounts goes through all places of each key: user over domain over [auth],
// whatever the others say.
func TestInnermostRuleCounts(t *testing.T) {
	states := []string{"is silent", "allows", "denies"}
	for _, r := range rulesByKey() {
		for _, user := range states {
			for _, domain := range states {
				for _, all := range states {
					if all != "is silent" && !r.everywhere {
						continue
					}
					t.Run(fmt.Sprintf("%s/user %s, domain %s, auth %s", r.name, user, domain, all), func(t *testing.T) {
						a := ruled(t, r.at(user), r.at(domain), r.at(all))
						want := ok(box, "", "")
						if decides(user, domain, all) == "denies" {
							want = no(r.reason, "")
						}
						checkRuled(t, a, "alice@users.example", right, want)
					})
				}
			}
		}
	}
}

// A master user is bound by the rules of the user, and by those of the master's own entry.
func TestRulesOfMasterAndUser(t *testing.T) {
	for _, r := range rulesByKey() {
		for _, tt := range []struct{ master, user string }{
			{"is silent", "is silent"}, {"allows", "allows"}, {"denies", "allows"}, {"allows", "denies"}, {"denies", "denies"},
		} {
			t.Run(fmt.Sprintf("%s/master %s, user %s", r.name, tt.master, tt.user), func(t *testing.T) {
				a := ruled(t, r.at(tt.user), access.Rules{}, access.Rules{})
				entry(t, a, "admin@users.example").Extra.Access = r.at(tt.master)
				want := ok(box, "alice@users.example", right)
				if tt.master == "denies" || tt.user == "denies" {
					want = no(r.reason, "")
				}
				checkRuled(t, a, "alice@users.example*admin@users.example", "admin-"+marker, want)
			})
		}
	}
}

// And by those of the master's domain.
func TestRulesOfTheMastersDomain(t *testing.T) {
	for _, r := range rulesByKey() {
		t.Run(r.name, func(t *testing.T) {
			a := ruled(t, r.allow, r.deny, access.Rules{})
			checkRuled(t, a, "alice@users.example*admin@users.example", "admin-"+marker, no(r.reason, ""))
		})
	}
}

// A rule comes after the password: without the right one nobody learns of it.
func TestRulesComeAfterThePassword(t *testing.T) {
	for _, r := range rulesByKey() {
		t.Run(r.name, func(t *testing.T) {
			checkRuled(t, ruled(t, r.deny, access.Rules{}, access.Rules{}), "alice@users.example", wrong, no(authlog.PasswordMismatch, ""))
		})
	}
}

// ruled has alice@users.example, and a master user, under rules in three places.
func ruled(t *testing.T, user, domain, all access.Rules) *Authenticator {
	t.Helper()
	a := newAuth(t)
	a.Access = all
	setDomains(a, []*route.Domain{{
		Name: "users.example", Verify: route.VerifyUsers, Servers: []*route.Server{newServer("box1", "192.0.2.1")}, Access: domain,
	}}...)
	var err error
	a.Directory, err = users.New([]users.User{
		{Name: "alice@users.example", Passwords: []users.Password{{Hash: hashOf(t, "{PLAIN}"+right)}}, Extra: &users.Settings{Access: user}},
		{Name: "admin@users.example", Passwords: []users.Password{{Hash: hashOf(t, "{PLAIN}admin-"+marker)}}, Extra: &users.Settings{Master: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// checkRuled asks without TLS, which is what require_tls is about.
func checkRuled(t *testing.T, a *Authenticator, user, pass string, want told) {
	t.Helper()
	h := ask{user: user, pass: pass}.header()
	h.Del("Auth-Ssl")
	r, e := answer(t, a, h)
	if r.Status() != want.status || r.User != want.user || r.Password != want.pass || e.Reason != want.reason {
		t.Errorf("%q as %q: %s %q; want %+v", r.Status(), r.User, e.Reason, e.Error, want)
	}
}

// Only the exact word of nginx tells that the client came by TLS.
func TestOnlyOnIsTLS(t *testing.T) {
	a := newAuth(t)
	entry(t, a, alice).Extra = &users.Settings{Access: access.Rules{RequireTLS: new(true)}}
	for value, outcome := range map[string]authhttp.Outcome{"on": authhttp.OK, "off": authhttp.Reject, "": authhttp.Reject} {
		h := ask{user: alice, pass: right}.header()
		h.Set("Auth-Ssl", value)
		if r, e := answer(t, a, h); r.Outcome != outcome {
			t.Errorf("Auth-SSL %q: %v (%s)", value, r.Outcome, e.Error)
		}
	}
}
