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
// of known ones are, and one name costs the same each time, also after a reload.
package users

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"

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
	byName map[string]*User
	decoys map[string][]decoy // by domain
}

// seed is the key of the choice of decoys.
var seed = maphash.MakeSeed()

// New makes a map. Names must be in the one spelling, and different.
func New(list []User) (*Map, error) {
	m := &Map{
		byName: make(map[string]*User, len(list)),
		decoys: make(map[string][]decoy),
	}
	byDomain := make(map[string][]*User)
	for i := range list {
		u := &list[i]
		if m.byName[u.Name] != nil {
			return nil, fmt.Errorf("user %q: twice in the map", u.Name)
		}
		m.byName[u.Name] = u
		_, domain := mailaddr.Split(u.Name)
		byDomain[domain] = append(byDomain[domain], u)
	}
	for domain, list := range byDomain {
		m.decoys[domain] = decoysOf(list)
	}
	return m, nil
}

// Lookup finds a user by a name in the one spelling, nil if there is none.
func (m *Map) Lookup(name string) *User { return m.byName[name] }

// Decoy is the hash that a password for an unknown name is verified against. It
// matches nothing when the domain has no users: then there is nobody to hide.
func (m *Map) Decoy(name string) password.Hash {
	_, domain := mailaddr.Split(name)
	some := m.decoys[domain]
	if len(some) == 0 {
		return password.Hash{}
	}
	hash := maphash.String(seed, name)
	best := slices.MaxFunc(some, func(a, b decoy) int { return cmp.Compare(a.score(hash), b.score(hash)) })
	return best.user.Password
}

// maxDecoys is how many users of a domain stand in for unknown names.
const maxDecoys = 64

// decoy is a user who may stand in for an unknown name: by rendezvous hashing, so that
// who comes or goes changes the stand-ins of few names.
type decoy struct {
	user *User
	hash uint64 // of the user's name
}

func (d decoy) score(name uint64) uint64 { return maphash.Comparable(seed, [2]uint64{d.hash, name}) }

// decoysOf draws the stand-ins from the users of a domain: those whose hashes are lowest.
func decoysOf(list []*User) []decoy {
	decoys := make([]decoy, len(list))
	for i, u := range list {
		decoys[i] = decoy{u, maphash.String(seed, u.Name)}
	}
	slices.SortFunc(decoys, func(a, b decoy) int { return cmp.Compare(a.hash, b.hash) })
	return slices.Clone(decoys[:min(len(decoys), maxDecoys)])
}

// Len is the number of users.
func (m *Map) Len() int { return len(m.byName) }
