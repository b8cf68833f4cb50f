// Package users is the user map: who exists, how they prove it, and what is special
// about them.
//
// A user is looked up by name or alias, in the one spelling of package mailaddr. A
// [Map] does not change once it is made; a reload makes a new one.
//
// # Unknown users
//
// Whether a name exists must not show in the time that a refusal takes. So a
// password for an unknown name is verified as well, against those of some
// user of the same domain: which one depends on the name and on a key that is
// drawn when the process starts, so that the costs of unknown names are mixed as those
// of known ones are, and one name costs the same each time, also after a reload.
//
// # Files
//
// [ReadPasswdFile] reads the lists of other programs; [WriteAtomic] puts an edited users
// file in the place of the old one.
package users

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"math/bits"
	"slices"

	"mailauthd/internal/access"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
)

// User is one entry of the map.
type User struct {
	Name      string   // in the one spelling
	Aliases   []string // other names that log in as this user, in the one spelling
	Passwords []Password

	Servers          []string // names of servers, instead of the domain's
	Login            string   // the name that nginx uses at the server; empty: the user's own
	UpstreamPassword string   // the password that nginx uses there

	Fingerprints []string // of client certificates: SHA-1, 40 digits of lower-case hex
	Subjects     []string // of client certificates, as nginx writes them
	Master       bool     // may log in as another user, under the name USER*NAME

	Access access.Rules
}

// Password is one of a user's passwords.
type Password struct {
	Hash      password.Hash
	Label     string   // for the log, such as the name of the mail program it was given to
	Protocols []string // the only ones it is good for; nil: all
}

// Directory finds the entries of users. It is safe for concurrent use.
type Directory interface {
	// Find returns the entry of a name or alias in canonical form, nil if there is none. An error means that
	// this could not be found out.
	Find(ctx context.Context, name string) (*User, error)

	// Decoy returns the entry whose passwords are tried for a name that has none, so that a refusal takes as long
	// for it as for others of the domain; nil if nobody in the domain has a password.
	Decoy(name string) *User

	// HasMasters reports whether anybody may log in as somebody else: only then is a "*" in a user name special.
	HasMasters() bool
}

// Map holds users by name and alias. It is the [Directory] of the TOML files.
type Map struct {
	byName  map[string]*User
	decoys  map[string][]decoy // by domain
	masters bool
	len     int
}

// seed is the key of the choice of decoys.
var seed = maphash.MakeSeed()

// New makes a map. Names and aliases must be in the one spelling, and different.
func New(list []User) (*Map, error) {
	m := &Map{
		byName: make(map[string]*User, len(list)),
		decoys: make(map[string][]decoy),
		len:    len(list),
	}
	byDomain := make(map[string][]*User)
	for i := range list {
		u := &list[i]
		if err := m.add(u.Name, u); err != nil {
			return nil, err
		}
		for _, alias := range u.Aliases {
			if err := m.add(alias, u); err != nil {
				return nil, err
			}
		}
		m.masters = m.masters || u.Master
		if len(u.Passwords) > 0 {
			_, domain := mailaddr.Split(u.Name)
			byDomain[domain] = append(byDomain[domain], u)
		}
	}
	for domain, list := range byDomain {
		m.decoys[domain] = decoysOf(list)
	}
	return m, nil
}

func (m *Map) add(name string, u *User) error {
	if m.byName[name] != nil {
		return fmt.Errorf("user %q: twice in the map", name)
	}
	m.byName[name] = u
	return nil
}

// Find is Lookup, and never fails.
func (m *Map) Find(_ context.Context, name string) (*User, error) { return m.Lookup(name), nil }

// Lookup finds a user by a name or alias in canonical form, nil if there is none.
func (m *Map) Lookup(name string) *User { return m.byName[name] }

// Decoy is the user whose passwords are tried for an unknown name.
func (m *Map) Decoy(name string) *User {
	_, domain := mailaddr.Split(name)
	some := m.decoys[domain]
	if len(some) == 0 {
		return nil
	}
	hash := maphash.String(seed, name)
	best := some[0]
	for _, d := range some[1:] {
		if d.score(hash) > best.score(hash) {
			best = d
		}
	}
	return best.user
}

// maxDecoys is how many users of a domain stand in for unknown names.
const maxDecoys = 64

// decoy is a user who may stand in for an unknown name: by rendezvous hashing, so that
// who comes or goes changes the stand-ins of few names.
type decoy struct {
	user *User
	hash uint64 // of the user's name
}

// score mixes two hashes that depend on the key already: every login pays for all.
func (d decoy) score(name uint64) uint64 {
	high, low := bits.Mul64(d.hash^name, 0x9e3779b97f4a7c15)
	return high ^ low
}

// decoysOf draws the stand-ins from the users of a domain: those whose hashes are lowest.
func decoysOf(list []*User) []decoy {
	decoys := make([]decoy, len(list))
	for i, u := range list {
		decoys[i] = decoy{u, maphash.String(seed, u.Name)}
	}
	slices.SortFunc(decoys, func(a, b decoy) int { return cmp.Compare(a.hash, b.hash) })
	return slices.Clone(decoys[:min(len(decoys), maxDecoys)])
}

// HasMasters reports whether there are master users.
func (m *Map) HasMasters() bool { return m.masters }

// Len is the number of users.
func (m *Map) Len() int { return m.len }
