package ldapdb

import (
	"context"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// BenchmarkFind compares a search with one by the library alone, on one connection.
func BenchmarkFind(b *testing.B) {
	s := theSlapd(b)
	b.Run("ldapdb", func(b *testing.B) {
		d := newDB(b, s.config())
		for b.Loop() {
			if u, err := d.Find(context.Background(), "bob@example.com"); u == nil || err != nil {
				b.Fatal(u, err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		c := bare(b, s)
		if err := c.Bind(serviceDN, servicePW); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			result, err := c.Search(&ldap.SearchRequest{
				BaseDN: base, Scope: ldap.ScopeWholeSubtree, SizeLimit: 2,
				Filter: "(&(objectClass=inetOrgPerson)(mail=bob@example.com))", Attributes: []string{"userPassword"},
			})
			if err != nil || len(result.Entries) != 1 {
				b.Fatal(result, err)
			}
		}
	})
}

// BenchmarkBind compares a bind with one by the library alone, on one connection.
func BenchmarkBind(b *testing.B) {
	s := theSlapd(b)
	b.Run("ldapdb", func(b *testing.B) {
		d := newDB(b, s.bindConfig())
		e, err := d.Lookup(context.Background(), "bob@example.com")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if got, err := d.Bind(context.Background(), e, "bob-secret"); got != Accepted || err != nil {
				b.Fatal(got, err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		c := bare(b, s)
		for b.Loop() {
			if err := c.Bind("uid=bob,"+base, "bob-secret"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRefusal compares how long a wrong password takes with how long an unknown name does, search included. The
// server compares several hashes of alice. "raw" is without the wait that hides the difference.
func BenchmarkRefusal(b *testing.B) {
	s := theSlapd(b)
	d := newDB(b, s.bindConfig())
	for _, name := range []string{"alice@example.com", "nobody@example.com", "somebody@example.com"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got, err := bind(b, d, name, "wrong"); got == Accepted || err != nil {
					b.Fatal(got, err)
				}
			}
		})
	}
	b.Run("raw", func(b *testing.B) {
		e := d.missing("nobody@example.com")
		for b.Loop() {
			if _, _, err := d.bind(context.Background(), e, "wrong"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func bare(b *testing.B, s *slapd) *ldap.Conn {
	b.Helper()
	c, err := ldap.DialURL(s.plain)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}
