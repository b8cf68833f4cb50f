package password

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
	"strings"

	"github.com/go-crypt/x/crypt"
)

// shaCryptKind is SHA-crypt with one hash function (Drepper, "Unix crypt using SHA-256
// and SHA-512").
type shaCryptKind struct {
	prefix string
	new    func() hash.Hash
	digits int // the number of digits of the key
}

var (
	sha256Crypt = &shaCryptKind{"$5$", sha256.New, 43}
	sha512Crypt = &shaCryptKind{"$6$", sha512.New, 86}
)

const (
	shaCryptRounds  = 5000 // if the value has none
	shaCryptMinimum = 1000
	shaCryptSalt    = 16 // the largest length of the salt in bytes
)

type shaCrypt struct {
	kind   *shaCryptKind
	rounds int
	salt   string
	key    string
}

// parse reads "$5$salt$key" or "$5$rounds=5000$salt$key". crypt(3) cuts a longer salt and
// raises a smaller number of rounds. Its result would then differ from the value, so that no
// password would match.
func (k *shaCryptKind) parse(src source) (verifier, error) {
	h := &shaCrypt{kind: k, rounds: shaCryptRounds}
	fields := strings.Split(strings.TrimPrefix(src.value, k.prefix), "$")
	if digits, ok := strings.CutPrefix(fields[0], "rounds="); ok {
		n, err := number(digits)
		if err != nil || n < shaCryptMinimum {
			return nil, errDamage
		}
		if err := checkIterations(n); err != nil {
			return nil, err
		}
		h.rounds, fields = int(n), fields[1:]
	}
	if len(fields) != 2 {
		return nil, errDamage
	}
	h.salt, h.key = fields[0], fields[1]
	if len(h.salt) > shaCryptSalt || strings.ContainsAny(h.salt, ":\n") || len(h.key) != k.digits || !isCrypt64(h.key) {
		return nil, errDamage
	}
	return h, nil
}

func (h *shaCrypt) verify(password string) (bool, error) {
	return subtle.ConstantTimeCompare(h.compute(password), []byte(h.key)) == 1, nil
}

func (h *shaCrypt) compute(password string) []byte {
	return crypt.KeySHACrypt(h.kind.new, []byte(password), []byte(h.salt), h.rounds)
}

func (k *shaCryptKind) make(r request) (string, error) {
	n, err := r.roundsOr(shaCryptRounds, shaCryptMinimum, MaxIterations)
	if err != nil {
		return "", err
	}
	h := &shaCrypt{kind: k, rounds: n, salt: randomSalt(shaCryptSalt)}
	rounds := ""
	if n != shaCryptRounds {
		rounds = fmt.Sprintf("rounds=%d$", n)
	}
	return k.prefix + rounds + h.salt + "$" + string(h.compute(r.password)), nil
}

// sha1Crypt is a hash of NetBSD's "$sha1$iterations$salt$key": iterated HMAC-SHA-1.
type sha1Crypt struct {
	iterations uint32
	salt       string
	key        string
}

func parseSHA1Crypt(src source) (verifier, error) {
	fields := strings.Split(src.value, "$")
	if len(fields) != 5 {
		return nil, errDamage
	}
	n, err := number(fields[2])
	if err != nil {
		return nil, err
	}
	if err := checkIterations(n); err != nil {
		return nil, err
	}
	h := &sha1Crypt{uint32(n), fields[3], fields[4]}
	if h.salt == "" || len(h.salt) > 64 || len(h.key) != 28 || !isCrypt64(h.salt+h.key) {
		return nil, errDamage
	}
	return h, nil
}

func (h *sha1Crypt) verify(password string) (bool, error) {
	key := crypt.KeySHA1Crypt([]byte(password), []byte(h.salt), h.iterations)
	return subtle.ConstantTimeCompare(key, []byte(h.key)) == 1, nil
}
