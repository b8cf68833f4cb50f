package crypt

import (
	"crypto/sha1"
	"encoding/binary"
	"hash"
)

// OTP returns the one-time password of 64 bits that is count steps after the first (RFC 2289,
// section 6). The hash must be MD4, MD5 or SHA-1. The seed must be in lower case.
func OTP(newHash func() hash.Hash, count int, seed, phrase string) []byte {
	key := fold(newHash(), []byte(seed+phrase))
	for range count {
		key = fold(newHash(), key)
	}
	return key
}

// fold hashes b and folds the result to 64 bits (RFC 2289, appendix A).
func fold(h hash.Hash, b []byte) []byte {
	h.Write(b)
	folded := make([]byte, 8)
	for i, c := range h.Sum(nil) {
		folded[i%8] ^= c
	}
	if h.Size() == sha1.Size { // SHA-1 has big-endian words, a one-time password has little-endian ones
		for i := 0; i < 8; i += 4 {
			binary.LittleEndian.PutUint32(folded[i:], binary.BigEndian.Uint32(folded[i:]))
		}
	}
	return folded
}
