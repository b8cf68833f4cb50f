package password

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
)

// cleartext is the password itself.
type cleartext string

// verify compares digests, because subtle.ConstantTimeCompare alone would reveal the length.
func (c cleartext) verify(password string) (bool, error) {
	return equal(string(c), password), nil
}

// Cleartext returns the password itself. ok is false unless the scheme stores it.
func (h Hash) Cleartext() (password string, ok bool) {
	if h.scheme == nil || !h.scheme.challenges {
		return "", false
	}
	v, _ := h.parsed()
	c, ok := v.(cleartext)
	return string(c), ok
}

func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func parsePlain(src source) (verifier, error) { return cleartext(src.value), nil }

func makePlain(r request) (string, error) { return r.password, r.noRounds() }

// truncated is the beginning of a password that another system has cut: Dovecot's PLAIN-TRUNC,
// "8-password". If the value has the given length, the password may have been cut.
type truncated struct {
	prefix string
	cut    bool // whether the password may be longer
}

func (t truncated) verify(password string) (bool, error) {
	if t.cut && len(password) > len(t.prefix) {
		password = password[:len(t.prefix)]
	}
	return equal(t.prefix, password), nil
}

func parsePlainTrunc(src source) (verifier, error) {
	length, prefix, ok := strings.Cut(src.value, "-")
	n, err := number(length)
	if !ok || err != nil {
		return nil, errors.New(`value does not begin with a length: want "8-password"`)
	}
	if prefix == "" {
		return nil, errors.New("empty value")
	}
	return truncated{prefix: prefix, cut: uint64(len(prefix)) == n}, nil
}
