package password

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
)

// Policy says which hashes [Policy.Parse] takes. The zero Policy takes no weak scheme
// and bounds memory by [DefaultMaxMemory].
type Policy struct {
	AllowWeak       bool   // take the schemes that [Schemes] calls weak
	MaxArgon2Memory uint32 // in KiB, for scrypt and yescrypt too; 0 is DefaultMaxMemory
}

// Hash is one parsed hash. It is safe for concurrent use; the zero Hash matches nothing.
type Hash struct {
	scheme   string
	verifier verifier
	id       uint64
}

// seed is the key of hashes' identities.
var seed = maphash.MakeSeed()

// verifier is one parsed value. What can be wrong with the value was found when it was
// parsed, so an error is one of the library below.
type verifier interface {
	verify(password string) (bool, error)
}

var (
	errNoHash = errors.New("no hash to verify against")
	errWeak   = errors.New("weak: set allow_weak_schemes = true in [auth]")
	errFormat = errors.New("value is not in the scheme's format")
	errDamage = errors.New("value is not a hash of this scheme, or is damaged")
)

// Parse reads a hash. All that can be wrong with it is found here, not at a login.
// The user is whom it belongs to, "name@realm": DIGEST-MD5 hashes it with the password,
// all other schemes ignore it. Errors never contain the value.
func (p Policy) Parse(s, user string) (Hash, error) {
	name, value, err := splitScheme(s)
	if err != nil {
		return Hash{}, err
	}
	sch, encoding, err := lookup(name)
	if err != nil && value == "" {
		return Hash{}, errors.New("unknown scheme, and no value after it") // perhaps a password in braces
	}
	if err != nil {
		return Hash{}, err
	}
	if sch.weak && !p.AllowWeak {
		return Hash{}, fmt.Errorf("scheme %s is %w", sch.name, errWeak)
	}
	v, err := sch.read(source{policy: p, user: user, value: value}, encoding)
	if err != nil {
		return Hash{}, fmt.Errorf("scheme %s: %w", sch.name, err)
	}
	return Hash{scheme: sch.name, verifier: v, id: maphash.String(seed, s)}, nil
}

// ID tells hashes of one user apart, as long as the process lives: the same text has
// the same ID, also after a reload.
func (h Hash) ID() uint64 { return h.id }

// Scheme is the hash's scheme by Dovecot's name, such as "ARGON2ID".
func (h Hash) Scheme() string { return h.scheme }

// String keeps a hash out of anything that is printed.
func (h Hash) String() string { return "{" + h.scheme + "}***" }

// GoString does the same for the verb %#v.
func (h Hash) GoString() string { return h.String() }

// Verify tells whether the password is the right one, in a time that does not depend
// on how much of it is right. An error means that this could not be found out.
func (h Hash) Verify(password string) (bool, error) {
	if h.verifier == nil {
		return false, errNoHash
	}
	// crypt(3) ends a password at a NUL, so "secret" and "secret\x00…" would be one.
	if strings.IndexByte(password, 0) >= 0 {
		return false, nil
	}
	ok, err := h.verifier.verify(password)
	if err != nil {
		return false, fmt.Errorf("scheme %s: %w", h.scheme, err)
	}
	return ok, nil
}

func splitScheme(s string) (name, value string, err error) {
	if strings.HasPrefix(s, "$") {
		return "CRYPT", s, nil
	}
	name, value, ok := strings.Cut(s, "}")
	if !ok || !strings.HasPrefix(name, "{") || !isSchemeName(name[1:]) {
		return "", "", errors.New(`no scheme: want "{SCHEME}value", for example "{ARGON2ID}$argon2id$…"`)
	}
	return strings.ToUpper(name[1:]), value, nil
}

// isSchemeName keeps a password in braces from being printed as an unknown scheme.
func isSchemeName(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return s != "" && len(s) <= 20 && strings.Trim(strings.ToUpper(s), letters) == ""
}
