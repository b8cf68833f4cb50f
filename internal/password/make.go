package password

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"mailauthd/internal/crypt"
)

// request is what a value is made from.
type request struct {
	user     string
	password string
	rounds   int
}

// Make makes a hash of a password, "{SCHEME}value", for any scheme of [Schemes] that
// says so; the name may have a suffix such as ".HEX". The user is needed for DIGEST-MD5
// only. Rounds are what doveadm pw -r sets: the cost of BLF-CRYPT, passes of ARGON2,
// rounds or iterations of the others that have them; 0 is doveadm's own default. Costs
// that [Policy.Parse] would refuse are errors, as are passwords that the scheme would cut.
// Errors never contain the password.
func Make(scheme, user, password string, rounds int) (string, error) {
	name := strings.ToUpper(scheme)
	if !isSchemeName(name) {
		return "", errors.New("not a scheme's name")
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
		return "", errors.New("is verified, but not made here")
	case r.password == "":
		return "", errors.New("empty password")
	case strings.ContainsAny(r.password, "\x00\r\n"):
		return "", errors.New("no client can send a password with NUL, CR or LF")
	}
	return s.make(r)
}

// roundsOr is what was asked for, within bounds, or the default.
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
		return errors.New("has no rounds to set")
	}
	return nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// randomSalt is n random digits of crypt(3).
func randomSalt(n int) string {
	b := randomBytes(n)
	for i := range b {
		b[i] = crypt.Digits[b[i]&63]
	}
	return string(b)
}
