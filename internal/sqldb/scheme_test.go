package sqldb

import (
	"context"
	"fmt"
	"testing"

	"mailauthd/internal/password"
	"mailauthd/internal/users"
)

// TestEveryScheme tests hashes of every scheme in the database.
func TestEveryScheme(t *testing.T) {
	fixed := map[string]string{ // the schemes that are not made here
		"OTP":         "{OTP}md5 99 TeSt 50fe1962c4965880",
		"PLAIN-TRUNC": "{PLAIN-TRUNC}9-abcdefgh",
	}
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		d := s.db(t, nil)
		for i, scheme := range password.Schemes() {
			name, right, wrong := fmt.Sprintf("user%d@x.org", i), "abcdefgh", "abcdefgi"
			hash, ok := fixed[scheme.Name]
			if scheme.Name == "OTP" {
				right = "This is a test."
			}
			if !ok {
				var err error
				if hash, err = password.Make(scheme.Name, name, right, 0); err != nil {
					t.Fatal(err)
				}
			}
			s.insert(t, name, "password", hash)
			u := find(t, d, name)
			if h := u.Passwords[0].Hash; h.Scheme() != scheme.Name {
				t.Errorf("%s became %s", scheme.Name, h.Scheme())
			}
			for pass, want := range map[string]bool{right: true, wrong: false} {
				if ok, err := u.Passwords[0].Hash.Verify(pass); ok != want || err != nil {
					t.Errorf("%s: %q is right: %v, %v", scheme.Name, pass, ok, err)
				}
			}
		}
	})
}

// TestDecoys tests that the decoy of an unknown name is a user of its domain who has been found.
func TestDecoys(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		d := s.db(t, nil)
		if u := d.Decoy("nobody@x.org"); u.Passwords[0].Hash.Scheme() != "PLAIN" {
			t.Errorf("before anybody was found: %v", u)
		}
		for i := range 2 * users.MaxDecoys {
			name := fmt.Sprintf("user%d@x.org", i)
			s.insert(t, name, "password", "{SHA}qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "host", "a")
			find(t, d, name)
		}
		seen := make(map[string]bool)
		for i := range 1000 {
			name := fmt.Sprintf("nobody%d@x.org", i)
			u := d.Decoy(name)
			if u.Passwords[0].Hash.Scheme() != "SHA" || u.Settings().Servers != nil || u != d.Decoy(name) {
				t.Fatalf("%s: %+v", name, u)
			}
			seen[u.Name] = true
		}
		if len(seen) < users.MaxDecoys/2 || len(seen) > users.MaxDecoys {
			t.Errorf("%d decoys", len(seen))
		}
		if u := d.Decoy("nobody@y.org"); u.Passwords[0].Hash.Scheme() != "PLAIN" {
			t.Errorf("of another domain: %v", u)
		}
		s.insert(t, "nopass@z.org")
		find(t, d, "nopass@z.org")
		if u := d.Decoy("nobody@z.org"); len(u.Passwords) != 1 {
			t.Errorf("of a domain without passwords: %v", u)
		}
	})
}

func TestStats(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, func(c *Config) { c.MaxConnections = 3 })
		find(t, d, "bob@x.org")
		d.Find(context.Background(), "nobody@x.org")
		s.exec(t, "DROP TABLE mailbox")
		d.Find(context.Background(), "bob@x.org")
		got := d.Stats()
		if got.Queries != 3 || got.Errors != 1 || got.Time <= 0 || got.Open != 1 || got.Busy != 0 || got.Max != 3 {
			t.Errorf("%+v", got)
		}
		if d.HasMasters() {
			t.Error("masters")
		}
	})
}
