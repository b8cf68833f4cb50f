package users

import (
	"fmt"
	"testing"

	"mailauthd/internal/password"
)

func hash(t *testing.T, s string) password.Hash {
	t.Helper()
	h, err := password.Policy{}.Parse(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestLookup(t *testing.T) {
	m, err := New([]User{{"alice@a.example", hash(t, "{PLAIN}x")}, {"bob@a.example", hash(t, "{PLAIN}y")}})
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
		t.Errorf("Len = %d", n)
	}
	if n := testing.AllocsPerRun(100, func() { m.Lookup("bob@a.example") }); n != 0 {
		t.Errorf("Lookup allocates %v times", n)
	}
}

func TestNewRefusesTwins(t *testing.T) {
	if _, err := New([]User{{Name: "a@b.example"}, {Name: "a@b.example"}}); err == nil {
		t.Error("two entries of one name are accepted")
	}
}

// The costs of unknown names must be mixed like those of known ones.
func TestDecoyMixesTheDomainsSchemes(t *testing.T) {
	m, err := New([]User{
		{"plain@a.example", hash(t, "{PLAIN}x")},
		{"crypt@a.example", hash(t, "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1")},
		{"other@b.example", hash(t, "{CLEAR}x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range 1000 {
		name := fmt.Sprintf("nobody%d@a.example", i)
		scheme := m.Decoy(name).Scheme()
		if again := m.Decoy(name).Scheme(); again != scheme {
			t.Fatalf("%s costs %s, then %s", name, scheme, again)
		}
		seen[scheme]++
	}
	if len(seen) != 2 || seen["PLAIN"] < 300 || seen["SHA512-CRYPT"] < 300 {
		t.Errorf("schemes for 1000 unknown names: %v, want about half PLAIN, half SHA512-CRYPT", seen)
	}
	if s := m.Decoy("x@empty.example").Scheme(); s != "" {
		t.Errorf("a domain without users has a decoy: %s", s)
	}
}
