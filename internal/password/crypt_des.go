package password

import (
	"crypto/subtle"
	"fmt"
	"math/bits"
	"strings"
)

// desCrypt is traditional DES crypt(3): two digits of salt and eleven of key. It reads
// the low seven bits of the first eight bytes of a password. There is no kept library;
// crypto/des has no place for a salt.
type desCrypt string

const (
	desCryptSize = 13
	desCryptMax  = 8 // bytes of a password
)

func parseDES(src source) (verifier, error) {
	s := src.value
	if len(s) != desCryptSize || !isCrypt64(s) {
		return nil, errFormat
	}
	if strings.IndexByte(cryptLetters, s[desCryptSize-1])&3 != 0 { // 64 bits end in a digit of 4
		return nil, errDamage
	}
	return desCrypt(s), nil
}

func (h desCrypt) verify(password string) (bool, error) {
	return subtle.ConstantTimeCompare([]byte(cryptDES(password, string(h[:2]))), []byte(h)) == 1, nil
}

func makeDES(r request) (string, error) {
	if len(r.password) > desCryptMax {
		return "", fmt.Errorf("keeps no more than %d bytes of a password", desCryptMax)
	}
	return cryptDES(r.password, randomSalt(2)), r.noRounds()
}

// cryptDES encrypts zeros 25 times under the password; the salt swaps bits of the
// expansion E (FIPS 46-3; Morris and Thompson, "Password Security: A Case History").
func cryptDES(password, salt string) string {
	var key uint64
	for i := range desCryptMax {
		key <<= 8
		if i < len(password) {
			key |= uint64(password[i]) << 1 & 0xff
		}
	}
	keys := desKeys(key)
	mask := desSaltMask(salt)
	var l, r uint32 // IP of zeros is zeros; between the 25, FP and IP cancel out
	for range 25 {
		for i := range keys {
			l, r = r, l^desRound(r, keys[i], mask)
		}
		l, r = r, l
	}
	out := permute(uint64(l)<<32|uint64(r), 64, desFP[:])
	digits := []byte(salt)
	for shift := 58; shift > 0; shift -= 6 {
		digits = append(digits, cryptLetters[out>>shift&63])
	}
	return string(append(digits, cryptLetters[out<<2&63]))
}

// desSaltMask has the bits of a 24-bit half of E's output that change places with the
// other half: salt bit i is E's bit i, counted from the left.
func desSaltMask(salt string) uint32 {
	n := strings.IndexByte(cryptLetters, salt[0]) | strings.IndexByte(cryptLetters, salt[1])<<6
	return bits.Reverse32(uint32(n)) >> 8
}

// desKeys is the key schedule: 16 keys of 48 bits.
func desKeys(key uint64) (keys [16]uint64) {
	cd := permute(key, 64, desPC1[:])
	c, d := uint32(cd>>28), uint32(cd&(1<<28-1))
	for i, n := range desShifts {
		c = (c<<n | c>>(28-n)) & (1<<28 - 1)
		d = (d<<n | d>>(28-n)) & (1<<28 - 1)
		keys[i] = permute(uint64(c)<<28|uint64(d), 56, desPC2[:])
	}
	return keys
}

// desRound is DES's function f, with the salt between E and the key.
func desRound(r uint32, key uint64, mask uint32) (out uint32) {
	var e uint64
	for i := range 8 { // each six bits of E are four of r and their neighbours
		e = e<<6 | uint64(bits.RotateLeft32(r, 5+4*i)&63)
	}
	left, right := uint32(e>>24), uint32(e)&(1<<24-1)
	swap := (left ^ right) & mask
	e = uint64(left^swap)<<24 | uint64(right^swap)
	e ^= key
	for i := range desSP {
		out |= desSP[i][e>>(42-6*i)&63]
	}
	return out
}

// permute takes the bits of x, of the given width, that the table names; 1 is the
// leftmost, as in FIPS 46-3.
func permute(x uint64, width int, table []uint8) (out uint64) {
	for _, bit := range table {
		out = out<<1 | x>>(width-int(bit))&1
	}
	return out
}

// desSP is each S-box with the permutation P after it.
var desSP = makeDESSP()

func makeDESSP() (sp [8][64]uint32) {
	for i := range desS {
		for v := range 64 {
			row, column := v>>4&2|v&1, v>>1&15
			s := uint64(desS[i][16*row+column]) << (28 - 4*i)
			sp[i][v] = uint32(permute(s, 32, desP[:]))
		}
	}
	return sp
}
