package ldapdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"

	"mailauthd/internal/users"
)

// Entry is the entry of a name. An entry that does not exist has no user; a bind as it fails after as long.
type Entry struct {
	User *users.User

	name  string // that was looked for
	dn    string // to bind as
	found bool   // by a search
}

// Find returns the user with a name in canonical form, nil if there is none.
func (d *DB) Find(ctx context.Context, name string) (*users.User, error) {
	e, err := d.Lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	return e.User, nil
}

// Lookup finds the entry of a name in canonical form. With bind_userdn it asks no server, and every name has a user. An
// error means that the lookup failed.
func (d *DB) Lookup(ctx context.Context, name string) (*Entry, error) {
	e, err := d.lookup(ctx, name)
	if err != nil {
		return nil, d.wrap(err)
	}
	return e, nil
}

// Decoy returns the user whose passwords are verified in place of those of an unknown name. With Bind there is none,
// because [DB.Bind] does what hides whether a name is known.
func (d *DB) Decoy(name string) *users.User {
	if d.config.Bind {
		return nil
	}
	return d.decoys.Choose(name)
}

// HasMasters returns false, because users of a directory cannot log in as other users.
func (d *DB) HasMasters() bool { return false }

func (d *DB) lookup(ctx context.Context, name string) (*Entry, error) {
	if !possible(name) {
		return d.missing(name), nil
	}
	if d.userDN != nil {
		return &Entry{User: &users.User{Name: name}, name: name, dn: d.userDN.Expand(name, escapeDN)}, nil
	}
	found, err := d.search(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("user %q: search: %w", name, err)
	}
	switch len(found.Entries) {
	case 0:
		return d.missing(name), nil
	case 1:
		return d.entry(name, found.Entries[0])
	}
	return nil, fmt.Errorf("user %q: the filter finds more than one entry, such as %q and %q",
		name, found.Entries[0].DN, found.Entries[1].DN)
}

// missing returns an entry whose DN does not exist.
func (d *DB) missing(name string) *Entry {
	dn := "cn=" + rand.Text()
	if d.config.Base != "" {
		dn += "," + d.config.Base
	}
	return &Entry{name: name, dn: dn}
}

// search asks for at most two entries, because a second one is an error already.
func (d *DB) search(ctx context.Context, name string) (result *ldap.SearchResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	defer d.stats.searches.count(time.Now(), &err)
	request := &ldap.SearchRequest{
		BaseDN: d.config.Base, Scope: d.scope, DerefAliases: ldap.NeverDerefAliases,
		SizeLimit: 2, EnforceSizeLimit: true, TimeLimit: int(d.config.Timeout/time.Second) + 1,
		Filter: d.filter.Expand(name, escapeFilter), Attributes: d.wanted,
	}
	err = d.searches.do(ctx, func(c *conn) error {
		result, err = c.Search(request)
		if errors.Is(err, ldap.ErrSizeLimitExceeded) { // by a server that does not know the limit
			err = nil
		}
		return err
	})
	switch code, _ := resultCode(err); {
	case code == ldap.LDAPResultSizeLimitExceeded && len(result.Entries) > 1:
		return result, nil
	case code == ldap.LDAPResultNoSuchObject:
		return nil, fmt.Errorf("base %q does not exist, or auth_dn may not read it", d.config.Base)
	}
	return result, describe(err)
}
