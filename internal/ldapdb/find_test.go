package ldapdb

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mailauthd/internal/users"
)

func TestFind(t *testing.T) {
	c := theSlapd(t).config()
	c.Fields = map[string]string{
		"password": "userPassword", "user": "mail", "allow_nets": "roomNumber", "host": "departmentNumber",
		"nologin": "employeeType", "reason": "title",
	}
	d := newDB(t, c)
	u, err := d.Find(context.Background(), "alice@example.com")
	if err != nil || u == nil {
		t.Fatal(u, err)
	}
	got := fmt.Sprint(u.Name, " ", u.Settings().Servers, u.Settings().Access.AllowNets, u.Settings().Access.NoLogin, len(u.Passwords))
	if want := "alice@example.com [dovecot1] [192.0.2.0/24 198.51.100.7/32] <nil> 3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, password := range []string{"alice-secret", "alice-second", "alice-third"} {
		ok := false
		for _, p := range u.Passwords {
			match, err := p.Hash.Verify(password)
			ok = ok || match && err == nil
		}
		if !ok {
			t.Errorf("no hash of %s", password)
		}
	}
	u, err = d.Find(context.Background(), "bob@example.com")
	if err != nil || u.Settings().Access.NoLogin == nil || !*u.Settings().Access.NoLogin || u.Settings().Access.Reason != "on leave" {
		t.Errorf("bob: %v, %v: want one who may not log in", u, err)
	}
	if u, err := d.Find(context.Background(), "nobody@example.com"); u != nil || err != nil {
		t.Errorf("nobody: %v, %v", u, err)
	}
	if got := d.Stats().Searches; got.Count != 3 || got.Errors != 0 || got.Connections != 1 || got.Took <= 0 {
		t.Errorf("stats %+v", got)
	}
}

// TestDecoy has a user who was found as the decoy of an unknown name.
func TestDecoy(t *testing.T) {
	var d users.Directory = newDB(t, theSlapd(t).config())
	if u := d.Decoy("nobody@example.com"); u == nil || len(u.Passwords) != 1 {
		t.Errorf("before any user was found: %v", u)
	}
	if _, err := d.Find(context.Background(), "alice@example.com"); err != nil {
		t.Fatal(err)
	}
	if u := d.Decoy("nobody@example.com"); u == nil || u.Name != "alice@example.com" || d.HasMasters() {
		t.Errorf("%v", u)
	}
}

// TestAlias finds a user by any of the addresses, under the name that an attribute has.
func TestAlias(t *testing.T) {
	c := theSlapd(t).config()
	c.Fields = map[string]string{"password": "userPassword", "user": "uid"}
	d := newDB(t, c)
	for _, name := range []string{"alice@example.com", "a@example.com"} {
		if u, err := d.Find(context.Background(), name); err != nil || u == nil || u.Name != "alice@example.com" {
			t.Errorf("%s: %v, %v", name, u, err)
		}
	}
}

func TestUndecidedEntries(t *testing.T) {
	tests := []struct {
		name, user string
		change     func(*Config)
		want       string
	}{
		{"two entries", "twin@example.com", nil, `more than one entry, such as "uid=twin1`},
		{"unknown scheme", "odd@example.com", nil, `user "odd@example.com": field password: unknown scheme`},
		{"two hosts", "odd@example.com", func(c *Config) {
			c.Fields = map[string]string{"password": "userPassword", "host": "departmentNumber"}
		}, `attribute departmentNumber: 2 values for the field host: want one`},
		{"no base", "alice@example.com", func(c *Config) { c.Base = "ou=nowhere,dc=example" }, `base "ou=nowhere,dc=example" does not exist`},
		{"referral", "alice@example.com", func(c *Config) { c.Base = "ou=elsewhere," + base }, "which must be listed in uris"},
		{"wrong password of auth_dn", "alice@example.com", func(c *Config) { c.AuthPassword = "not-this-secret" },
			"bind as auth_dn: result code 49, Invalid Credentials"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := theSlapd(t).config()
			if test.change != nil {
				test.change(&c)
			}
			c.Name = "people"
			u, err := newDB(t, c).Find(context.Background(), test.user)
			if err == nil || !strings.Contains(err.Error(), test.want) ||
				!strings.HasPrefix(err.Error(), `passdb "people": user "`+test.user) || u != nil {
				t.Errorf("%v, %v: want an error with %q", u, err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has a value: %v", err)
			}
		})
	}
}

func TestScope(t *testing.T) {
	for scope, found := range map[string]bool{"subtree": true, "onelevel": false, "base": false} {
		c := theSlapd(t).config()
		c.Base, c.Scope = "dc=example", scope
		if u, err := newDB(t, c).Find(context.Background(), "bob@example.com"); (u != nil) != found || err != nil {
			t.Errorf("%s: %v, %v", scope, u, err)
		}
	}
}

func TestAnonymousSearch(t *testing.T) {
	c := theSlapd(t).bindConfig()
	c.AuthDN, c.AuthPassword = "", ""
	if u, err := newDB(t, c).Find(context.Background(), "bob@example.com"); u == nil || err != nil {
		t.Errorf("%v, %v", u, err)
	}
}
