package ldapdb

import (
	"strings"
	"testing"
	"time"
)

func goodConfig() Config {
	return Config{
		URIs: []string{"ldap://dc1.example", "ldap://dc2.example:1389"}, AuthDN: serviceDN, AuthPassword: servicePW,
		Base: base, Scope: "subtree", Filter: "(mail=%{user})", Fields: map[string]string{"password": "userPassword"},
		MaxConnections: 8, Timeout: 2 * time.Second,
	}
}

func TestNew(t *testing.T) {
	tests := []struct {
		want   string // in the error; empty: none
		change func(*Config)
	}{
		{"", func(*Config) {}},
		{"", func(c *Config) { c.Base = "" }},
		{"", func(c *Config) { c.MaxConnections, c.Timeout = 0, 0 }},
		{"", func(c *Config) { c.Bind, c.Fields = true, nil }},
		{"", func(c *Config) { c.Fields["host"] = "2.16.840.1.113730.3.1.18;lang-en" }},
		{"uris: want 1 to 16", func(c *Config) { c.URIs = nil }},
		{"uris: want 1 to 16", func(c *Config) { c.URIs = make([]string, 17) }},
		{"begins with neither", func(c *Config) { c.URIs = []string{"dc1.example"} }},
		{"begins with neither", func(c *Config) { c.URIs = []string{"http://x:service-secret@h"} }},
		{"write it as auth_dn", func(c *Config) { c.URIs = []string{"ldap://x:service-secret@h"} }},
		{"only a host and a port", func(c *Config) { c.URIs = []string{"ldap://h/dc=example"} }},
		{"only a host and a port", func(c *Config) { c.URIs = []string{"ldap://:389"} }},
		{"is damaged", func(c *Config) { c.URIs = []string{"ldap://h:port"} }},
		{"not the path of a socket", func(c *Config) { c.URIs = []string{"ldapi://run"} }},
		{"starttls is only possible", func(c *Config) { c.StartTLS, c.URIs = true, []string{"ldaps://h"} }},
		{"starttls is only possible", func(c *Config) { c.StartTLS, c.URIs = true, []string{"ldapi:///s"} }},
		{"auth_dn needs a password", func(c *Config) { c.AuthPassword = "" }},
		{"but auth_dn is not", func(c *Config) { c.AuthDN = "" }},
		{`scope "one": want base, onelevel or subtree`, func(c *Config) { c.Scope = "one" }},
		{`base "people" is not a DN`, func(c *Config) { c.Base = "people" }},
		{"filter: unknown variable", func(c *Config) { c.Filter = "(mail=%{usr})" }},
		{"every user would find the same entry", func(c *Config) { c.Filter = "(mail=alice)" }},
		{"in parentheses", func(c *Config) { c.Filter = "mail=%{user}" }},
		{"in parentheses", func(c *Config) { c.Filter = "(&(mail=%{user})" }},
		{"no effect without bind", func(c *Config) { c.BindUserDN = "uid=%{user}" }},
		{"every user would bind as the same", func(c *Config) { c.Bind, c.BindUserDN = true, "uid=alice" }},
		{"bind_userdn: unknown variable", func(c *Config) { c.Bind, c.BindUserDN = true, "uid=%x" }},
		{`"quota" is no field of a user`, func(c *Config) { c.Fields["quota"] = "mailQuota" }},
		{"is not the name of an attribute", func(c *Config) { c.Fields["host"] = "mail host" }},
		{"the password must be an attribute", func(c *Config) { c.Fields = nil }},
		{"unknown scheme", func(c *Config) { c.Reader.Scheme = "NONE" }},
		{"max_connections", func(c *Config) { c.MaxConnections = -1 }},
		{"timeout", func(c *Config) { c.Timeout = -1 }},
	}
	for _, test := range tests {
		c := goodConfig()
		test.change(&c)
		_, err := New(c)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: want an error with %q", err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error has a password: %v", err)
		}
	}
}

func TestCleartext(t *testing.T) {
	c := goodConfig()
	c.URIs = []string{"ldap://a", "ldaps://b", "ldapi://%2Fs", "ldap://localhost", "ldap://127.0.0.1:1", "ldap://[::1]", "ldap://[2001:db8::1]"}
	if got := strings.Join(newDB(t, c).Cleartext(), " "); got != "ldap://a ldap://[2001:db8::1]" {
		t.Error(got)
	}
	c.URIs, c.StartTLS = []string{"ldap://a"}, true
	if got := newDB(t, c).Cleartext(); len(got) > 0 {
		t.Error(got)
	}
}

func TestParseURI(t *testing.T) {
	for uri, want := range map[string]string{
		"ldap://dc1.example":               "tcp dc1.example:389 dc1.example",
		"ldaps://dc1.example/":             "tcp dc1.example:636 dc1.example",
		"ldap://[2001:db8::1]:1389":        "tcp [2001:db8::1]:1389 2001:db8::1",
		"ldapi://%2Frun%2Fslapd%2Fldapi":   "unix /run/slapd/ldapi ",
		"ldapi:///run/slapd/ldapi":         "unix /run/slapd/ldapi ",
		"ldapi://%2Frun%2Fwith%20space%25": "unix /run/with space% ",
	} {
		target, err := parseURI(uri)
		if err != nil {
			t.Errorf("%s: %v", uri, err)
		} else if got := target.network + " " + target.address + " " + target.host; got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
}
