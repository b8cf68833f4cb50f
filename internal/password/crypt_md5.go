package password

import (
	"crypto/md5"
	"crypto/subtle"
	"strings"
)

// md5Crypt is Poul-Henning Kamp's MD5 crypt of FreeBSD, "$1$salt$key", and Apache's
// "$apr1$salt$key", which differs by its prefix, a part of what is hashed. (The kept
// library has the first only.)
type md5Crypt struct {
	prefix string
	salt   string
	key    string
}

const md5CryptSalt = 8 // bytes, at most

func parseMD5Crypt(src source) (verifier, error) {
	fields := strings.Split(src.value, "$")
	if len(fields) != 4 {
		return nil, errDamage
	}
	h := &md5Crypt{"$" + fields[1] + "$", fields[2], fields[3]}
	if len(h.salt) > md5CryptSalt || len(h.key) != 22 || !isCrypt64(h.key) {
		return nil, errDamage
	}
	return h, nil
}

// parseMD5 reads what Dovecot calls MD5: MD5-CRYPT, or PLAIN-MD5 in hex or base64.
func parseMD5(src source) (verifier, error) {
	if strings.HasPrefix(src.value, "$1$") {
		return parseMD5Crypt(src)
	}
	plain := scheme{encoding: inHex, size: md5Digest.size, parse: md5Digest.parse}
	return plain.read(src, guess)
}

func (h *md5Crypt) verify(password string) (bool, error) {
	return subtle.ConstantTimeCompare([]byte(h.compute(password)), []byte(h.key)) == 1, nil
}

func makeMD5Crypt(r request) (string, error) {
	h := &md5Crypt{prefix: "$1$", salt: randomSalt(md5CryptSalt)}
	return h.prefix + h.salt + "$" + h.compute(r.password), r.noRounds()
}

// compute follows FreeBSD's crypt-md5.c (1994): two sums, then a thousand rounds.
func (h *md5Crypt) compute(password string) string {
	sum := md5.Sum([]byte(password + h.salt + password))
	var b strings.Builder
	b.WriteString(password + h.prefix + h.salt)
	for n := len(password); n > 0; n -= md5.Size {
		b.Write(sum[:min(n, md5.Size)])
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			b.WriteByte(0)
		} else {
			b.WriteByte(password[0])
		}
	}
	sum = md5.Sum([]byte(b.String()))
	buf := make([]byte, 0, 2*len(password)+md5.Size+len(h.salt))
	for i := range 1000 {
		sum = md5.Sum(h.round(buf[:0], i, password, sum[:]))
	}
	return encodeMD5Crypt(sum)
}

func (h *md5Crypt) round(buf []byte, i int, password string, sum []byte) []byte {
	if i&1 != 0 {
		buf = append(buf, password...)
	} else {
		buf = append(buf, sum...)
	}
	if i%3 != 0 {
		buf = append(buf, h.salt...)
	}
	if i%7 != 0 {
		buf = append(buf, password...)
	}
	if i&1 != 0 {
		return append(buf, sum...)
	}
	return append(buf, password...)
}

// encodeMD5Crypt writes the bytes three by three, in the order that MD5 crypt has them.
func encodeMD5Crypt(sum [md5.Size]byte) string {
	var b strings.Builder
	digits := func(v, n int) {
		for range n {
			b.WriteByte(cryptLetters[v&63])
			v >>= 6
		}
	}
	for _, t := range [][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}} {
		digits(int(sum[t[0]])<<16|int(sum[t[1]])<<8|int(sum[t[2]]), 4)
	}
	digits(int(sum[11]), 2)
	return b.String()
}
