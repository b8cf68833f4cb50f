package dovecot

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"

	"mailauthd/internal/mailaddr"
	"mailauthd/internal/password"
	"mailauthd/internal/users"
)

// MaxDecoyDomains is the largest number of domains that have decoys.
const MaxDecoyDomains = 4096

// Decoys are users who have been found in a database, by domain. Their passwords are verified in place of those of an
// unknown name, as package users describes. A domain has at most [users.MaxDecoys], and the last [MaxDecoyDomains] domains
// have some. A domain in which no user has been found yet has a decoy with a hash of the default scheme, at the usual cost.
// Decoys are safe for concurrent use.
type Decoys struct {
	mu       sync.Mutex
	byDomain *lru.LRU[string, *users.Decoys]
	fallback *users.User // with a hash of the default scheme
}

// usualScheme is that of most databases of mail users.
const usualScheme = "BLF-CRYPT"

// NewDecoys makes the decoy of domains without a found user. It returns an error if hashes of the default scheme would
// be refused.
func NewDecoys(fields Reader) (*Decoys, error) {
	if err := fields.CheckScheme(); err != nil {
		return nil, err
	}
	scheme := strings.ToUpper(fields.Scheme)
	canMake := slices.ContainsFunc(password.Schemes(), func(s password.Scheme) bool {
		return s.Make && s.Name == strings.SplitN(scheme, ".", 2)[0]
	})
	if !canMake {
		scheme = usualScheme
	}
	const name = "decoy@domain.invalid"
	text, err := password.Make(scheme, name, "decoy", 0)
	if err != nil {
		return nil, fmt.Errorf("a hash of the default scheme: %w", err)
	}
	hash, err := fields.Hashes.Parse(text, name)
	if err != nil {
		return nil, err
	}
	byDomain, err := lru.NewLRU[string, *users.Decoys](MaxDecoyDomains, nil)
	if err != nil {
		return nil, err
	}
	return &Decoys{byDomain: byDomain, fallback: &users.User{Name: name, Passwords: []users.Password{{Hash: hash}}}}, nil
}

// Add adds a user who has been found by a name.
func (d *Decoys) Add(name string, u *users.User) {
	if len(u.Passwords) == 0 {
		return
	}
	_, domain := mailaddr.Split(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	list, ok := d.byDomain.Get(domain)
	if !ok {
		list = new(users.Decoys)
		d.byDomain.Add(domain, list)
	}
	list.Add(&users.User{Name: u.Name, Passwords: u.Passwords})
}

// Choose returns the decoy of a name.
func (d *Decoys) Choose(name string) *users.User {
	_, domain := mailaddr.Split(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if list, ok := d.byDomain.Peek(domain); ok {
		return list.Choose(name)
	}
	return d.fallback
}
