package password

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"mailauthd/internal/crypt"
)

// request holds the arguments of [Make] for a scheme.
type request struct {
	user     string
	password string
	rounds   int
}

// Make returns a hash of a password, "{SCHEME}value", with a random salt if the scheme has one.
// [Schemes] lists the schemes. The name may have a suffix such as ".HEX". Only DIGEST-MD5
// needs the user.
//
// The rounds are those of doveadm pw -r: the cost of BLF-CRYPT, the passes of ARGON2ID and
// ARGON2I, and the rounds or iterations of other schemes that have them. 0 is the default of
// doveadm.
//
// Make returns an error if the scheme would cut the password, or if [Policy.Parse] would
// refuse the rounds. Errors never contain the password.
func Make(scheme, user, password string, rounds int) (string, error) {
	name := strings.ToUpper(scheme)
	if !isSchemeName(name) {
		return "", errors.New("not the name of a scheme")
	}
	sch, e, err := lookup(name)
	if err != nil {
		return "", err
	}
	if e == guess {
		e = sch.encoding
	}
	value, err := sch.makeValue(request{user, password, rounds})
	if err != nil {
		return "", fmt.Errorf("scheme %s: %w", sch.name, err)
	}
	return "{" + name + "}" + e.encode(value), nil
}

func (s *scheme) makeValue(r request) (string, error) {
	switch {
	case s.make == nil:
		return "", errors.New("can be verified, but not made here")
	case r.password == "":
		return "", errors.New("empty password")
	case strings.ContainsAny(r.password, "\x00\r\n"):
		return "", errors.New("no client can send a password with NUL, CR or LF")
	}
	return s.make(r)
}

// roundsOr returns the requested rounds, or standard if there are none. It returns an error if
// they are not from least to most.
func (r request) roundsOr(standard, least, most int) (int, error) {
	if r.rounds == 0 {
		return standard, nil
	}
	if r.rounds < least || r.rounds > most {
		return 0, fmt.Errorf("rounds must be from %d to %d", least, most)
	}
	return r.rounds, nil
}

func (r request) noRounds() error {
	if r.rounds != 0 {
		return errors.New("has no rounds that could be set")
	}
	return nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// randomSalt returns n random digits of crypt(3).
func randomSalt(n int) string {
	b := randomBytes(n)
	for i := range b {
		b[i] = crypt.Digits[b[i]&63]
	}
	return string(b)
}
