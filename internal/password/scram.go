package password

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// scramKind is SCRAM with one hash function (RFC 5802, section 3; RFC 7677).
type scramKind struct {
	new  func() hash.Hash
	size int
}

var (
	scramSHA1   = &scramKind{sha1.New, sha1.Size}
	scramSHA256 = &scramKind{sha256.New, sha256.Size}
)

// scramMinimum is the smallest number of iterations that Dovecot accepts, and its default.
const scramMinimum = 4096

type scram struct {
	kind       *scramKind
	iterations int
	salt       []byte
	storedKey  []byte
}

// parse reads "iterations,salt,StoredKey,ServerKey", the last three in base64.
func (k *scramKind) parse(src source) (verifier, error) {
	fields := strings.Split(src.value, ",")
	if len(fields) != 4 {
		return nil, errFormat
	}
	n, err := number(fields[0])
	if err != nil || n < scramMinimum {
		return nil, fmt.Errorf("needs an iteration count of at least %d", scramMinimum)
	}
	if err := checkIterations(n); err != nil {
		return nil, err
	}
	salt, ok1 := decode64(base64.StdEncoding, fields[1])
	stored, ok2 := decode64(base64.StdEncoding, fields[2])
	server, ok3 := decode64(base64.StdEncoding, fields[3])
	if !ok1 || !ok2 || !ok3 || len(salt) == 0 || len(stored) != k.size || len(server) != k.size {
		return nil, errDamage
	}
	return &scram{k, int(n), salt, stored}, nil
}

func (s *scram) verify(password string) (bool, error) {
	stored, _, err := s.keys(password)
	return err == nil && subtle.ConstantTimeCompare(stored, s.storedKey) == 1, err
}

// keys returns StoredKey and ServerKey. As in Dovecot, the bytes of the password are used
// without SASLprep.
func (s *scram) keys(password string) (stored, server []byte, err error) {
	salted, err := pbkdf2.Key(s.kind.new, password, s.salt, s.iterations, s.kind.size)
	if err != nil {
		return nil, nil, err
	}
	h := s.kind.new()
	h.Write(s.mac(salted, "Client Key"))
	return h.Sum(nil), s.mac(salted, "Server Key"), nil
}

func (s *scram) mac(key []byte, message string) []byte {
	m := hmac.New(s.kind.new, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}

func (k *scramKind) make(r request) (string, error) {
	n, err := r.roundsOr(scramMinimum, scramMinimum, MaxIterations)
	if err != nil {
		return "", err
	}
	s := scram{kind: k, iterations: n, salt: randomBytes(16)}
	stored, server, err := s.keys(r.password)
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%d,%s,%s,%s", n, encode(s.salt), encode(stored), encode(server)), err
}

// pbkdf2Hash is a hash of Dovecot's PBKDF2: HMAC-SHA-1, 160 bits, the salt as written.
type pbkdf2Hash struct {
	iterations int
	salt       string
	key        []byte
}

// parsePBKDF2 reads "$1$salt$iterations$key" with the key in hex.
func parsePBKDF2(src source) (verifier, error) {
	fields := strings.Split(src.value, "$")
	if len(fields) != 5 || fields[0] != "" || fields[1] != "1" {
		return nil, errFormat
	}
	n, err := number(fields[3])
	if err != nil {
		return nil, err
	}
	if err := checkIterations(n); err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(fields[4])
	if err != nil || len(key) != sha1.Size {
		return nil, errDamage
	}
	return &pbkdf2Hash{int(n), fields[2], key}, nil
}

func (p *pbkdf2Hash) verify(password string) (bool, error) {
	key, err := p.compute(password)
	return err == nil && subtle.ConstantTimeCompare(key, p.key) == 1, err
}

func (p *pbkdf2Hash) compute(password string) ([]byte, error) {
	return pbkdf2.Key(sha1.New, password, []byte(p.salt), p.iterations, sha1.Size)
}

func makePBKDF2(r request) (string, error) {
	n, err := r.roundsOr(5000, 1, MaxIterations)
	if err != nil {
		return "", err
	}
	p := pbkdf2Hash{iterations: n, salt: randomSalt(16)}
	key, err := p.compute(r.password)
	return fmt.Sprintf("$1$%s$%d$%x", p.salt, n, key), err
}
