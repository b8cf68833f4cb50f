package users

import (
	"fmt"
	"testing"

	"mailauthd/internal/mailaddr"
)

// manyUsers returns a map of n users, user0@a.example and so on, each with an alias.
func manyUsers(t testing.TB, n int) *Map {
	t.Helper()
	passwords := []Password{{Hash: hash(t, "{PLAIN}x")}}
	list := make([]User, n)
	for i := range list {
		list[i] = User{
			Name:      fmt.Sprintf("user%d@a.example", i),
			Passwords: passwords,
			Extra:     &Settings{Aliases: []string{fmt.Sprintf("alias%d@a.example", i)}},
		}
	}
	m, err := New(list)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// find returns the user whom a client named, or the decoy if there is none.
func find(t testing.TB, m *Map, name string) *User {
	key, err := mailaddr.User(name)
	if err != nil {
		t.Fatal(err)
	}
	if u := m.Lookup(key); u != nil {
		return u
	}
	return m.Decoy(key)
}

func TestLookupAllocates(t *testing.T) {
	m := manyUsers(t, 1000)
	for name, want := range map[string]float64{
		"user500@a.example":  0,
		"alias500@a.example": 0,
		"nobody@a.example":   0,
		"nobody@b.example":   0,
		"User500@A.Example":  1, // the canonical form, which the caller needs anyway
	} {
		if n := testing.AllocsPerRun(100, func() { find(t, m, name) }); n != want {
			t.Errorf("looking %s up allocates %v times, want %v", name, n, want)
		}
	}
}

// BenchmarkLookup looks up a thousand names in a small and in a large map. Both use the same number of
// names, because names that do not fit into the CPU caches take longer in any map.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		m := manyUsers(b, n)
		for _, kind := range []string{"user", "alias", "nobody"} {
			var names [1000]string
			for i := range names {
				names[i] = fmt.Sprintf("%s%d@a.example", kind, i*(n/len(names)))
			}
			b.Run(fmt.Sprintf("%d/%s", n, kind), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					find(b, m, names[i%len(names)])
				}
			})
		}
	}
}
