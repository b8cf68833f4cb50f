package crypt

import (
	"math/bits"
	"strings"
)

// MaxDES is the largest number of bytes of a password that [DES] reads. DES reads the low seven
// bits of each.
const MaxDES = 8

// DES returns a hash of traditional crypt(3): zeros that are encrypted 25 times under the
// password. The salt swaps bits of the expansion E. The salt has two of the [Digits]. The result
// has 13, and the first two of these are the salt.
func DES(password, salt string) string {
	var key uint64
	for i := range MaxDES {
		key <<= 8
		if i < len(password) {
			key |= uint64(password[i]) << 1 & 0xff
		}
	}
	keys := desKeys(key)
	mask := desSaltMask(salt)
	var l, r uint32 // IP of zeros is zeros; FP and IP cancel out between encryptions
	for range 25 {
		for i := range keys {
			l, r = r, l^desRound(r, keys[i], mask)
		}
		l, r = r, l
	}
	out := permute(uint64(l)<<32|uint64(r), 64, desFP[:])
	digits := []byte(salt)
	for shift := 58; shift > 0; shift -= 6 {
		digits = append(digits, Digits[out>>shift&63])
	}
	return string(append(digits, Digits[out<<2&63]))
}

// desSaltMask returns a mask of the bits that the 24-bit halves of E's output exchange. Bit i of
// the salt is bit i of E, counted from the left.
func desSaltMask(salt string) uint32 {
	n := strings.IndexByte(Digits, salt[0]) | strings.IndexByte(Digits, salt[1])<<6
	return bits.Reverse32(uint32(n)) >> 8
}

// desKeys returns the key schedule: 16 keys of 48 bits.
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

// permute returns the bits of x that the table lists. x has width bits, and bit 1 is the
// leftmost, as in FIPS 46-3.
func permute(x uint64, width int, table []uint8) (out uint64) {
	for _, bit := range table {
		out = out<<1 | x>>(width-int(bit))&1
	}
	return out
}

// desSP holds each S-box combined with the permutation P that follows it.
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
