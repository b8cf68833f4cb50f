package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"hash"
	"strings"

	//lint:ignore SA1019 MD4 is weak, so it needs AllowWeak
	"golang.org/x/crypto/md4"
)

// digestKind is a scheme that applies one hash function once, with or without a salt.
type digestKind struct {
	new  func() hash.Hash
	size int
}

var (
	md4Digest    = &digestKind{md4.New, md4.Size}
	md5Digest    = &digestKind{md5.New, md5.Size}
	sha1Digest   = &digestKind{sha1.New, sha1.Size}
	sha256Digest = &digestKind{sha256.New, sha256.Size}
	sha512Digest = &digestKind{sha512.New, sha512.Size}
)

// saltSize is the size in bytes of the salts that are made here. Dovecot makes 4 bytes. Both
// verify salts of any size.
const saltSize = 8

// digest is a hash H(before + password + salt).
type digest struct {
	kind   *digestKind
	before string
	salt   string
	sum    string
}

func (d *digest) verify(password string) (bool, error) {
	return subtle.ConstantTimeCompare(d.compute(password), []byte(d.sum)) == 1, nil
}

func (d *digest) compute(password string) []byte {
	h := d.kind.new()
	h.Write([]byte(d.before + password + d.salt))
	return h.Sum(nil)
}

func (k *digestKind) parse(src source) (verifier, error) {
	return &digest{kind: k, sum: src.value}, nil
}

func (k *digestKind) make(r request) (string, error) {
	return string((&digest{kind: k}).compute(r.password)), r.noRounds()
}

// parseSalted reads a sum that is followed by the salt.
func (k *digestKind) parseSalted(src source) (verifier, error) {
	if len(src.value) <= k.size {
		return nil, errors.New("value has no salt")
	}
	return &digest{kind: k, sum: src.value[:k.size], salt: src.value[k.size:]}, nil
}

func (k *digestKind) makeSalted(r request) (string, error) {
	d := digest{kind: k, salt: string(randomBytes(saltSize))}
	return string(d.compute(r.password)) + d.salt, r.noRounds()
}

// parseDigestMD5 reads MD5(user:realm:password) (RFC 2831, section 2.1.2.1).
func parseDigestMD5(src source) (verifier, error) {
	before, err := digestMD5Prefix(src.user)
	return &digest{kind: md5Digest, before: before, sum: src.value}, err
}

func makeDigestMD5(r request) (string, error) {
	before, err := digestMD5Prefix(r.user)
	if err != nil {
		return "", err
	}
	return string((&digest{kind: md5Digest, before: before}).compute(r.password)), r.noRounds()
}

// digestMD5Prefix returns "user:realm:". As in Dovecot, the realm is what follows the last "@".
func digestMD5Prefix(user string) (string, error) {
	if user == "" {
		return "", errors.New("needs the user name")
	}
	realm := ""
	if i := strings.LastIndexByte(user, '@'); i >= 0 {
		user, realm = user[:i], user[i+1:]
	}
	return user + ":" + realm + ":", nil
}
