// Package users is the user map: who exists, and by which hash a password is checked.
//
// A user's name is looked up in the one spelling of package mailaddr. A [Map] does
// not change once it is made; a reload makes a new one.
//
// # Unknown users
//
// Whether a name exists must not show in the time that a refusal takes. So a
// password for an unknown name is verified as well, against the hash of some
// user of the same domain: which one depends on the name and on a key that is
// drawn when the process starts, so that the costs of unknown names are mixed as those
// of known ones are, and one name costs the same each time; also after a reload, but
// for few names when users come or go.
package users

import (
	"fmt"
	"hash/maphash"

	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
)

// User is one entry of the map.
type User struct {
	Name     string // in the one spelling
	Password password.Hash
}

// Map holds users by name.
type Map struct {
	byName   map[string]*User
	byDomain map[string][]*User
}

// seed is the key of the choice of decoys.
var seed = maphash.MakeSeed()

// New makes a map. Names must be in the one spelling, and different.
func New(list []User) (*Map, error) {
	m := &Map{
		byName:   make(map[string]*User, len(list)),
		byDomain: make(map[string][]*User),
	}
	for i := range list {
		u := &list[i]
		if m.byName[u.Name] != nil {
			return nil, fmt.Errorf("user %q: twice in the map", u.Name)
		}
		m.byName[u.Name] = u
		_, domain := mailaddr.Split(u.Name)
		m.byDomain[domain] = append(m.byDomain[domain], u)
	}
	return m, nil
}

// Lookup finds a user by a name in the one spelling, nil if there is none.
func (m *Map) Lookup(name string) *User { return m.byName[name] }

// Decoy is the hash that a password for an unknown name is verified against. It
// matches nothing when the domain has no users: then there is nobody to hide.
func (m *Map) Decoy(name string) password.Hash {
	_, domain := mailaddr.Split(name)
	some := m.byDomain[domain]
	if len(some) == 0 {
		return password.Hash{}
	}
	return some[jump(maphash.String(seed, name), len(some))].Password
}

// jump is Lamping and Veach's jump consistent hash: of n buckets the one for a key, so
// that few keys change theirs when n does (https://arxiv.org/abs/1406.2294).
func jump(key uint64, n int) int {
	bucket, next := int64(-1), int64(0)
	for next < int64(n) {
		bucket = next
		key = key*2862933555777941757 + 1
		next = int64(float64(bucket+1) * (float64(1<<31) / float64(key>>33+1)))
	}
	return int(bucket)
}

// Len is the number of users.
func (m *Map) Len() int { return len(m.byName) }
