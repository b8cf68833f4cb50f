package users

import (
	"fmt"
	"testing"

	"mailauthd/internal/password"
)

func hash(t testing.TB, s string) password.Hash {
	t.Helper()
	h, err := password.Policy{}.Parse(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func user(t *testing.T, name, hashed string) User {
	t.Helper()
	return User{Name: name, Passwords: []Password{{Hash: hash(t, hashed)}}}
}

func TestLookup(t *testing.T) {
	m, err := New([]User{user(t, "alice@a.example", "{PLAIN}x"), user(t, "bob@a.example", "{PLAIN}y")})
	if err != nil {
		t.Fatal(err)
	}
	if u := m.Lookup("bob@a.example"); u == nil || u.Name != "bob@a.example" {
		t.Errorf("Lookup = %v", u)
	}
	if u := m.Lookup("carol@a.example"); u != nil {
		t.Errorf("Lookup of an unknown user = %v", u)
	}
	if n := m.Len(); n != 2 {
		t.Errorf("Len = %d, want 2", n)
	}
}

func TestNewRefusesDuplicates(t *testing.T) {
	if _, err := New([]User{{Name: "a@b.example"}, {Name: "a@b.example"}}); err == nil {
		t.Error("New accepts two users with the same name")
	}
}

func TestAliases(t *testing.T) {
	alice := User{Name: "alice@a.example", Extra: &Settings{Aliases: []string{"info@a.example", "alice@b.example"}}}
	m, err := New([]User{alice, {Name: "bob@a.example", Extra: &Settings{Master: true}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(alice.Extra.Aliases, alice.Name) {
		if u := m.Lookup(name); u == nil || u.Name != alice.Name {
			t.Errorf("Lookup(%q) = %v", name, u)
		}
	}
	if m.Len() != 2 || !m.HasMasters() {
		t.Errorf("Len = %d, HasMasters = %v", m.Len(), m.HasMasters())
	}
	if _, err := New([]User{alice, {Name: "info@a.example"}}); err == nil {
		t.Error("New accepts an alias that is the name of another user")
	}
}

// TestDecoyMixesSchemes tests that the costs of unknown names are distributed like those of known names.
func TestDecoyMixesSchemes(t *testing.T) {
	m, err := New([]User{
		user(t, "plain@a.example", "{PLAIN}x"),
		user(t, "crypt@a.example", "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"),
		user(t, "other@b.example", "{CLEAR}x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range 1000 {
		name := fmt.Sprintf("nobody%d@a.example", i)
		scheme := m.Decoy(name).Passwords[0].Hash.Scheme()
		if again := m.Decoy(name).Passwords[0].Hash.Scheme(); again != scheme {
			t.Fatalf("the decoy of %s has the scheme %s, then %s", name, scheme, again)
		}
		seen[scheme]++
	}
	if len(seen) != 2 || seen["PLAIN"] < 300 || seen["SHA512-CRYPT"] < 300 {
		t.Errorf("schemes for 1000 unknown names: %v, want about half PLAIN, half SHA512-CRYPT", seen)
	}
	if u := m.Decoy("x@empty.example"); u != nil {
		t.Errorf("a domain without users has a decoy: %s", u.Name)
	}
}
