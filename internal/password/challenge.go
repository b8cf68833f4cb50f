package password

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
)

// ErrSchemeNotAvailable says that a hash cannot answer a challenge: it is neither
// cleartext nor, for CRAM-MD5, the two states that CRAM-MD5 needs.
var ErrSchemeNotAvailable = errors.New("the scheme cannot answer this challenge")

// cramSize is the size of a CRAM-MD5 value: two states of MD5.
const cramSize = 2 * md5.Size

// cramStates is what HMAC-MD5 (RFC 2104) knows after it has taken in the key: the state
// of the outer MD5, then that of the inner one, each as four little-endian words. That
// is Dovecot's {CRAM-MD5}; HMAC-MD5 is its old name. It answers any challenge, so it is
// as good as the password to one who steals it, for CRAM-MD5.
type cramStates [cramSize]byte

func parseCRAMMD5(src source) (verifier, error) {
	states := cramStates([]byte(src.value))
	return &states, nil
}

func makeCRAMMD5(r request) (string, error) {
	states, err := newCRAMStates(r.password)
	if err != nil {
		return "", err
	}
	return string(states[:]), r.noRounds()
}

func (c *cramStates) verify(password string) (bool, error) {
	got, err := newCRAMStates(password)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got[:], c[:]) == 1, nil
}

func newCRAMStates(password string) (*cramStates, error) {
	var key [md5.BlockSize]byte
	if len(password) > len(key) {
		sum := md5.Sum([]byte(password))
		copy(key[:], sum[:])
	} else {
		copy(key[:], password)
	}
	var states cramStates
	for i, pad := range []byte{0x5c, 0x36} { // outer, inner
		var block [md5.BlockSize]byte
		for j := range block {
			block[j] = key[j] ^ pad
		}
		state, err := md5State(block)
		if err != nil {
			return nil, err
		}
		swapWords(states[i*md5.Size:], state[md5Words:])
	}
	return &states, nil
}

// respond is the HMAC-MD5 of the challenge.
func (c *cramStates) respond(challenge string) ([]byte, error) {
	inner, err := resumeMD5(c[md5.Size:])
	if err != nil {
		return nil, err
	}
	inner.Write([]byte(challenge))
	outer, err := resumeMD5(c[:md5.Size])
	if err != nil {
		return nil, err
	}
	outer.Write(inner.Sum(nil))
	return outer.Sum(nil), nil
}

// A marshaled MD5 of Go is "md5\x01", the four words of its state in big endian, and
// what has not been hashed yet; its tests keep it so.
const md5Words = 4

// md5State is the marshaled state of MD5 after one block.
func md5State(block [md5.BlockSize]byte) ([]byte, error) {
	h := md5.New()
	h.Write(block[:])
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("this MD5 does not tell its state")
	}
	return m.MarshalBinary()
}

// resumeMD5 goes on after the first block, from the four words of state.
func resumeMD5(words []byte) (hash.Hash, error) {
	state, err := md5State([md5.BlockSize]byte{})
	if err != nil {
		return nil, err
	}
	swapWords(state[md5Words:], words)
	h := md5.New()
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, errors.New("this MD5 does not take a state")
	}
	return h, u.UnmarshalBinary(state)
}

func swapWords(dst, src []byte) {
	for i := 0; i < md5.Size; i += 4 {
		binary.LittleEndian.PutUint32(dst[i:], binary.BigEndian.Uint32(src[i:]))
	}
}

// VerifyCRAMMD5 tells whether the digest, in hex, is the answer of one who knows the
// password to the challenge (RFC 2195), in constant time. The challenge is as the
// client saw it, "<123.456@host>". It returns [ErrSchemeNotAvailable] for all but
// cleartext, CRAM-MD5 and HMAC-MD5.
func (h Hash) VerifyCRAMMD5(challenge, hexDigest string) (bool, error) {
	switch v := h.verifier.(type) {
	case cleartext:
		mac := hmac.New(md5.New, []byte(v))
		mac.Write([]byte(challenge))
		return equalHex(mac.Sum(nil), hexDigest), nil
	case *cramStates:
		want, err := v.respond(challenge)
		return err == nil && equalHex(want, hexDigest), err
	}
	return false, ErrSchemeNotAvailable
}

// VerifyAPOP tells whether the digest, in hex, is the MD5 of challenge and password
// (RFC 1939, section 7), in constant time. It returns [ErrSchemeNotAvailable] for all
// but cleartext.
func (h Hash) VerifyAPOP(challenge, hexDigest string) (bool, error) {
	c, ok := h.verifier.(cleartext)
	if !ok {
		return false, ErrSchemeNotAvailable
	}
	want := md5.Sum([]byte(challenge + string(c)))
	return equalHex(want[:], hexDigest), nil
}

func equalHex(want []byte, hexDigest string) bool {
	got, err := hex.DecodeString(hexDigest)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}
