package password

import (
	"crypto/subtle"
	"fmt"
	"strings"

	"mailauthd/internal/crypt"
)

// desCrypt is a hash of traditional DES crypt(3): two digits of salt and eleven of key.
type desCrypt string

const desCryptSize = 13

func parseDES(src source) (verifier, error) {
	s := src.value
	if len(s) != desCryptSize || !isCrypt64(s) {
		return nil, errFormat
	}
	if strings.IndexByte(crypt.Digits, s[desCryptSize-1])&3 != 0 { // the last digit has only 4 of the 64 bits
		return nil, errDamage
	}
	return desCrypt(s), nil
}

func (h desCrypt) verify(password string) (bool, error) {
	return subtle.ConstantTimeCompare([]byte(crypt.DES(password, string(h[:2]))), []byte(h)) == 1, nil
}

func makeDES(r request) (string, error) {
	if len(r.password) > crypt.MaxDES {
		return "", fmt.Errorf("uses no more than %d bytes of a password", crypt.MaxDES)
	}
	return crypt.DES(r.password, randomSalt(2)), r.noRounds()
}

// md5Crypt is a hash of MD5 crypt, "$1$salt$key", or Apache's "$apr1$salt$key".
type md5Crypt struct {
	hash  string // the whole value
	magic string
	salt  string
}

const md5CryptSalt = 8 // the largest length of the salt in bytes

func parseMD5Crypt(src source) (verifier, error) {
	fields := strings.Split(src.value, "$")
	if len(fields) != 4 {
		return nil, errDamage
	}
	salt, key := fields[2], fields[3]
	if len(salt) > md5CryptSalt || len(key) != 22 || !isCrypt64(key) {
		return nil, errDamage
	}
	return &md5Crypt{src.value, "$" + fields[1] + "$", salt}, nil
}

// parseMD5 reads Dovecot's scheme MD5, which is MD5-CRYPT, or PLAIN-MD5 in hex or base64.
func parseMD5(src source) (verifier, error) {
	if strings.HasPrefix(src.value, "$1$") {
		return parseMD5Crypt(src)
	}
	plain := scheme{encoding: inHex, size: md5Digest.size, parse: md5Digest.parse}
	return plain.read(src, guess)
}

func (h *md5Crypt) verify(password string) (bool, error) {
	return subtle.ConstantTimeCompare([]byte(crypt.MD5(password, h.salt, h.magic)), []byte(h.hash)) == 1, nil
}

func makeMD5Crypt(r request) (string, error) {
	return crypt.MD5(r.password, randomSalt(md5CryptSalt), "$1$"), r.noRounds()
}
