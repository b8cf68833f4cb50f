// Package password verifies passwords against the hashes of a user map.
//
// # Format
//
// A hash is written as Dovecot writes it, "{SCHEME}value". Without a scheme a
// value that begins with "$" is CRYPT; anything else is refused, so that a bare
// word is never taken for a password in cleartext.
//
// # Schemes
//
//	PLAIN, CLEAR, CLEARTEXT   the password itself, compared in constant time
//	ARGON2ID, ARGON2I         $argon2id$v=19$m=65536,t=3,p=1$salt$key
//	BLF-CRYPT                 $2y$05$… (also $2a$ and $2b$)
//	SHA256-CRYPT              $5$rounds=5000$salt$key
//	SHA512-CRYPT              $6$rounds=5000$salt$key
//	CRYPT                     any of the above that begins with "$"
//
// # Errors
//
// Errors of [Parse] name the scheme and what is wrong with it, never the value: it
// may be a password.
package password

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// Hash is one parsed hash. It is safe for concurrent use; the zero Hash matches nothing.
type Hash struct {
	scheme string
	match  func(password string) (bool, error)
}

// Scheme is the hash's scheme by Dovecot's name, such as "ARGON2ID".
func (h Hash) Scheme() string { return h.scheme }

// String keeps a hash out of anything that is printed.
func (h Hash) String() string { return "{" + h.scheme + "}***" }

// Verify tells whether the password is the right one, in a time that does not depend
// on how much of it is right. An error means that this could not be found out.
func (h Hash) Verify(password string) (bool, error) {
	if h.match == nil {
		return false, errors.New("no hash to verify against")
	}
	ok, err := h.match(password)
	if err != nil {
		return false, fmt.Errorf("scheme %s: %w", h.scheme, err)
	}
	return ok, nil
}

// Parse reads a hash. All that can be wrong with it is found here, not at a login.
func Parse(s string) (Hash, error) {
	name, value, err := splitScheme(s)
	if err != nil {
		return Hash{}, err
	}
	parse, ok := schemes[name]
	if !ok {
		return Hash{}, fmt.Errorf("unknown scheme %q (known: %s)", name, strings.Join(Schemes(), ", "))
	}
	if value == "" {
		return Hash{}, fmt.Errorf("scheme %s: empty value", name)
	}
	match, err := parse(value)
	if err != nil {
		return Hash{}, fmt.Errorf("scheme %s: %w", name, err)
	}
	return Hash{scheme: name, match: match}, nil
}

// Schemes are the names that [Parse] knows, sorted.
func Schemes() []string {
	names := make([]string, 0, len(schemes))
	for name := range schemes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
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

// matcher verifies a password against one parsed value; a parser makes it.
type (
	matcher = func(password string) (bool, error)
	parser  = func(value string) (matcher, error)
)

// schemes is every scheme by its name.
var schemes = map[string]parser{
	"PLAIN":        plain,
	"CLEAR":        plain,
	"CLEARTEXT":    plain,
	"CRYPT":        crypt,
	"ARGON2I":      argon2i,
	"ARGON2ID":     argon2id,
	"BLF-CRYPT":    blfCrypt,
	"SHA256-CRYPT": sha256Crypt,
	"SHA512-CRYPT": sha512Crypt,
}

// The formats of crypt(3), told apart by how a value begins.
var (
	argon2i     = kept("$argon2i$", argon2.Decode)
	argon2id    = kept("$argon2id$", argon2.Decode)
	blfCrypt    = kept("$2", bcrypt.Decode) // like crypt(3) it reads the first 72 bytes of a password
	sha256Crypt = kept("$5$", shacrypt.Decode)
	sha512Crypt = kept("$6$", shacrypt.Decode)
)

// plain compares digests: subtle.ConstantTimeCompare alone would tell the length.
func plain(value string) (matcher, error) {
	want := sha256.Sum256([]byte(value))
	return func(password string) (bool, error) {
		got := sha256.Sum256([]byte(password))
		return subtle.ConstantTimeCompare(got[:], want[:]) == 1, nil
	}, nil
}

var errFormat = errors.New("value is not in the scheme's format")

// crypt picks the format by the value, as crypt(3) does.
func crypt(value string) (matcher, error) {
	for _, parse := range []parser{argon2id, argon2i, sha256Crypt, sha512Crypt, blfCrypt} {
		if m, err := parse(value); err != errFormat {
			return m, err
		}
	}
	return nil, errFormat
}

// kept verifies by github.com/go-crypt/crypt. Its errors may quote the value, so
// they are not passed on.
func kept(prefix string, decode algorithm.DecodeFunc) parser {
	return func(value string) (matcher, error) {
		if !strings.HasPrefix(value, prefix) {
			return nil, errFormat
		}
		digest, err := decode(value)
		if err != nil {
			return nil, errors.New("value is not a hash of this scheme, or is damaged")
		}
		return digest.MatchAdvanced, nil
	}
}
