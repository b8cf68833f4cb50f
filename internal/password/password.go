package password

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"strings"
)

// Policy decides which hashes [Policy.Parse] accepts. The zero Policy accepts no weak scheme
// and limits the memory to [DefaultMaxMemory].
type Policy struct {
	AllowWeak       bool   // accept weak schemes
	MaxArgon2Memory uint32 // the limit in KiB, for scrypt and yescrypt too; 0 is DefaultMaxMemory
}

// Hash is a hash that [Policy.Parse] has accepted. It is safe for concurrent use. The zero Hash matches no password.
//
// A Hash keeps the text, and each use parses it again. That takes less than a microsecond, and a parsed value would take
// more memory than the text.
type Hash struct {
	scheme *scheme
	text   string // as in the configuration
	user   string // the owner
}

// seed is the key of [Hash.ID].
var seed = maphash.MakeSeed()

// verifier is a parsed value. Parsing has found every problem of the value, so an error comes
// from the library that computes the hash.
type verifier interface {
	verify(password string) (bool, error)
}

var (
	errNoHash = errors.New("no hash to verify against")
	errWeak   = errors.New("weak: set allow_weak_schemes = true in [auth]")
	errFormat = errors.New("value is not in the scheme's format")
	errDamage = errors.New("value is not a hash of this scheme, or is damaged")
)

// Parse reads a hash. It finds every problem of the hash, so that none is left for a login.
// The user, "name@realm", is the owner of the hash. DIGEST-MD5 hashes the user with the
// password; all other schemes ignore it. Errors never contain the value.
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
	if _, err := sch.read(source{policy: p, user: user, value: value}, encoding); err != nil {
		return Hash{}, fmt.Errorf("scheme %s: %w", sch.name, err)
	}
	return Hash{sch, s, user}, nil
}

// accepted is the policy for hashes that another policy has accepted already.
var accepted = Policy{AllowWeak: true, MaxArgon2Memory: math.MaxUint32}

// parsed parses the text again.
func (h Hash) parsed() (verifier, error) {
	if h.scheme == nil {
		return nil, errNoHash
	}
	name, value, err := splitScheme(h.text)
	if err != nil {
		return nil, err
	}
	_, encoding, err := lookup(name)
	if err != nil {
		return nil, err
	}
	return h.scheme.read(source{policy: accepted, user: h.user, value: value}, encoding)
}

// ID identifies the text of the hash among the hashes of one user. The same text has the same
// ID until the process ends, also after a reload.
func (h Hash) ID() uint64 { return maphash.String(seed, h.text) }

// Scheme returns Dovecot's name of the scheme, such as "ARGON2ID".
func (h Hash) Scheme() string {
	if h.scheme == nil {
		return ""
	}
	return h.scheme.name
}

// String returns the scheme only, so that no hash is printed by accident.
func (h Hash) String() string { return "{" + h.Scheme() + "}***" }

// GoString is like String, for the verb %#v.
func (h Hash) GoString() string { return h.String() }

// Verify reports whether the password is right, in a time that does not depend on how much of
// it is right. An error means that the hash could not be computed.
func (h Hash) Verify(password string) (bool, error) {
	v, err := h.parsed()
	if err != nil {
		return false, err
	}
	// crypt(3) ends a password at a NUL, so "secret" and "secret\x00…" would be the same.
	if strings.IndexByte(password, 0) >= 0 {
		return false, nil
	}
	ok, err := v.verify(password)
	if err != nil {
		return false, fmt.Errorf("scheme %s: %w", h.scheme.name, err)
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

// isSchemeName reports whether s may be the name of a scheme. A password in braces must not
// appear in an error as an unknown scheme.
func isSchemeName(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return s != "" && len(s) <= 20 && strings.Trim(strings.ToUpper(s), letters) == ""
}
