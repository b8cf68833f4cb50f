// Package users holds the users of the configuration: their names, their passwords and
// certificates, and their settings.
//
// A [Directory] finds users by name or alias, in the canonical form of package mailaddr. A
// [Map] is the directory of the TOML files. It never changes; a reload makes a new one.
//
// # Unknown users
//
// The time of a refusal must not show whether a name exists. So a password for an unknown
// name is verified too, against the passwords of a user of the same domain, the decoy
// ([Directory.Decoy]). The choice of the decoy depends on the name and on a random key of the
// process. So the costs of unknown names are distributed like those of known names, and the
// cost of one name is always the same, also after a reload.
//
// # Files
//
// [ReadPasswdFile] reads the user files of other programs. [WriteAtomic] replaces a users file
// by an edited one.
package users

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"mailauthd/internal/access"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
)

// User is a user. Most users have one password and nothing else, and there may be a million of them. So what is rare is
// in a struct of its own, [Settings].
type User struct {
	Name      string // in canonical form
	Passwords []Password
	Extra     *Settings // nil: none; see [User.Settings]
}

// Settings is what a user may have besides passwords.
type Settings struct {
	Aliases []string // other names that log in as this user, in canonical form

	Servers          []string // names of mail servers to use instead of those of the domain
	Login            string   // the user name that nginx sends to the mail server; empty: Name
	UpstreamPassword string   // the password that nginx sends to the mail server

	Fingerprints []string // of client certificates: SHA-1, 40 digits of lower-case hex
	Subjects     []string // of client certificates, as nginx writes them
	Master       bool     // whether the user may log in as another user, with the name USER*NAME

	Access access.Rules
}

// Settings returns a copy of the user's settings.
func (u *User) Settings() Settings {
	if u.Extra == nil {
		return Settings{}
	}
	return *u.Extra
}

// Password is one of the passwords of a user.
type Password struct {
	Hash      password.Hash
	Label     string   // for the log, such as the name of the mail program that uses it
	Protocols []string // the protocols that it is valid for; nil: all
}

// MaxPasswords is the largest number of passwords of one user. A wrong password is compared with all of them.
const MaxPasswords = 16

// Directory finds users. It is safe for concurrent use.
type Directory interface {
	// Find returns the user with a name or alias in canonical form, nil if there is none. An error means that
	// the lookup failed.
	Find(ctx context.Context, name string) (*User, error)

	// Decoy returns the user whose passwords are verified in place of those of an unknown name. So a refusal takes
	// as long as for other names of the domain. Decoy returns nil if no user of the domain has a password.
	Decoy(name string) *User

	// HasMasters reports whether there are users who may log in as other users. Only then does a "*" in a user
	// name have a special meaning.
	HasMasters() bool
}

// Map holds users by name and alias. It is the [Directory] of the TOML files.
type Map struct {
	names   index
	aliases map[string]*User
	decoys  map[string]*Decoys // by domain
	masters bool
	len     int
}

// ErrDuplicate is the error of [New] for a name that belongs to two users.
var ErrDuplicate = errors.New("twice in the map")

// New returns a map of the users in all lists, which it keeps. Their names and aliases must be in canonical form. New
// returns an error if one of them is a duplicate.
func New(lists ...[]User) (*Map, error) {
	m := &Map{aliases: make(map[string]*User), decoys: make(map[string]*Decoys)}
	for _, list := range lists {
		m.len += len(list)
	}
	m.names = newIndex(m.len)
	for _, list := range lists {
		for i := range list {
			if err := m.add(&list[i]); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

func (m *Map) add(u *User) error {
	hash := maphash.String(seed, u.Name)
	if m.lookup(u.Name, hash) != nil {
		return fmt.Errorf("user %q: %w", u.Name, ErrDuplicate)
	}
	m.names.add(u, hash)
	if u.Extra != nil {
		for _, alias := range u.Extra.Aliases {
			if m.Lookup(alias) != nil {
				return fmt.Errorf("user %q: %w", alias, ErrDuplicate)
			}
			m.aliases[alias] = u
		}
		m.masters = m.masters || u.Extra.Master
	}
	if len(u.Passwords) > 0 {
		m.addDecoy(decoy{u, hash})
	}
	return nil
}

// Find is like Lookup. It returns no error.
func (m *Map) Find(_ context.Context, name string) (*User, error) { return m.Lookup(name), nil }

// Lookup returns the user with a name or alias in canonical form, nil if there is none.
func (m *Map) Lookup(name string) *User { return m.lookup(name, maphash.String(seed, name)) }

func (m *Map) lookup(name string, hash uint64) *User {
	if u := m.names.find(name, hash); u != nil {
		return u
	}
	return m.aliases[name]
}

// Decoy returns the user whose passwords are verified in place of those of an unknown name.
func (m *Map) Decoy(name string) *User {
	_, domain := mailaddr.Split(name)
	return m.decoys[domain].Choose(name)
}

func (m *Map) addDecoy(d decoy) {
	_, domain := mailaddr.Split(d.user.Name)
	if m.decoys[domain] == nil {
		m.decoys[domain] = new(Decoys)
	}
	m.decoys[domain].add(d)
}

// HasMasters reports whether there are master users.
func (m *Map) HasMasters() bool { return m.masters }

// Len returns the number of users.
func (m *Map) Len() int { return m.len }
