package crypt

import (
	"encoding/binary"
	"hash"
	"math/bits"
)

// streebog keeps the whole message until Sum is called, because passwords and keys are short.
type streebog struct{ message []byte }

const (
	streebogSize  = 32
	streebogBlock = 64
)

// NewStreebog256 returns a hash that computes GOST R 34.11-2012 with 256 bits (RFC 6986).
func NewStreebog256() hash.Hash { return new(streebog) }

func (s *streebog) Size() int      { return streebogSize }
func (s *streebog) BlockSize() int { return streebogBlock }
func (s *streebog) Reset()         { s.message = s.message[:0] }

func (s *streebog) Write(p []byte) (int, error) {
	s.message = append(s.message, p...)
	return len(p), nil
}

// Sum implements section 8. The RFC writes a vector with its most significant byte first.
// Here, as in all uses of the hash, the first byte of the message is the least significant.
func (s *streebog) Sum(b []byte) []byte {
	var h, n, sum, zero streebogVector
	for i := range h {
		h[i] = 0x0101010101010101
	}
	rest := s.message
	for ; len(rest) >= streebogBlock; rest = rest[streebogBlock:] {
		h, n, sum = streebogAbsorb(h, n, sum, rest[:streebogBlock], 8*streebogBlock)
	}
	var last [streebogBlock]byte
	last[copy(last[:], rest)] = 1
	h, n, sum = streebogAbsorb(h, n, sum, last[:], uint64(8*len(rest)))
	h = streebogCompress(h, zero, n)
	h = streebogCompress(h, zero, sum)
	for _, w := range h[4:] {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

// streebogVector has 512 bits, the least significant word first.
type streebogVector [8]uint64

func (v streebogVector) xor(o streebogVector) streebogVector {
	for i := range v {
		v[i] ^= o[i]
	}
	return v
}

// add adds modulo 2^512.
func (v streebogVector) add(o streebogVector) streebogVector {
	var carry uint64
	for i := range v {
		v[i], carry = bits.Add64(v[i], o[i], carry)
	}
	return v
}

// streebogAbsorb implements stage 2 and, for the last, padded block, the first half of stage 3.
func streebogAbsorb(h, n, sum streebogVector, block []byte, length uint64) (_, _, _ streebogVector) {
	var m streebogVector
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(block[8*i:])
	}
	h = streebogCompress(h, n, m)
	return h, n.add(streebogVector{length}), sum.add(m)
}

// streebogCompress returns g_N(h, m) of section 7: E(LPS(h xor N), m) xor h xor m.
func streebogCompress(h, n, m streebogVector) streebogVector {
	key := h.xor(n).lps()
	x := m.xor(key)
	for _, c := range streebogC {
		for i := range key {
			key[i] ^= c[7-i]
		}
		key = key.lps()
		x = x.lps().xor(key)
	}
	return x.xor(h).xor(m)
}

// lps substitutes each byte (S), transposes the bytes as a matrix (P), and multiplies
// each word by the matrix A (L). The bits are secret, so they are masks and not branches.
func (v streebogVector) lps() (out streebogVector) {
	for i := range out {
		var w uint64
		for j := range v {
			w |= uint64(streebogPi[uint8(v[j]>>(8*i))]) << (8 * j)
		}
		for bit, a := range streebogA {
			out[i] ^= a & -(w >> (63 - bit) & 1)
		}
	}
	return out
}
