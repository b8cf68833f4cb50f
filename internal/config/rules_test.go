package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/access"
)

const allRules = `
nologin = true
reason = "moved"
expires = 2100-01-01T00:00:00Z
protocols = ["imap"]
require_tls = true
allow_nets = ["192.0.2.0/24"]
deny_nets = ["192.0.2.7"]
`

// A user and a domain take all keys of rules, [auth] takes three of them.
func TestRulesReachEveryLevel(t *testing.T) {
	all := access.Rules{
		NoLogin: new(true), Reason: "moved", Expires: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), Protocols: []string{"imap"},
		RequireTLS: new(true), AllowNets: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		DenyNets: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")},
	}
	everywhere := access.Rules{RequireTLS: all.RequireTLS, AllowNets: all.AllowNets, DenyNets: all.DenyNets}
	user := "[users.\"alice@domain1.com\"]\npassword = \"{PLAIN}x\"\n"
	for _, tt := range []struct {
		name, text         string
		user, domain, auth access.Rules
	}{
		{"nothing denied", userBase + user + "deny_nets = []\n", access.Rules{DenyNets: []netip.Prefix{}}, access.Rules{}, access.Rules{}},
		{"nowhere", userBase + user, access.Rules{}, access.Rules{}, access.Rules{}},
		{"user", userBase + user + allRules, all, access.Rules{}, access.Rules{}},
		{"domain", userBase + allRules + user, access.Rules{}, all, access.Rules{}},
		{"auth", strings.Replace(userBase, "[auth]", "[auth]\nrequire_tls = true\nallow_nets = [\"192.0.2.0/24\"]\ndeny_nets = [\"192.0.2.7\"]", 1) + user, access.Rules{}, access.Rules{}, everywhere},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(write(t, "m.toml", tt.text))
			if err != nil {
				t.Fatal(err)
			}
			for _, level := range []struct {
				name      string
				got, want access.Rules
			}{
				{"user", c.Users.Lookup("alice@domain1.com").Settings().Access, tt.user},
				{"domain", c.Domains.Find("domain1.com").Access, tt.domain},
				{"auth", c.Access, tt.auth},
			} {
				if !reflect.DeepEqual(level.got, level.want) {
					t.Errorf("rules of the %s: %+v, want %+v", level.name, level.got, level.want)
				}
			}
		})
	}
}
