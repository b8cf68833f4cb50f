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

// ErrSchemeNotAvailable is the error for a hash that cannot be used for a challenge. APOP
// needs the cleartext; CRAM-MD5 needs the cleartext or a CRAM-MD5 hash.
var ErrSchemeNotAvailable = errors.New("the scheme cannot answer this challenge")

// cramSize is the size of a CRAM-MD5 value in bytes: two states of MD5.
const cramSize = 2 * md5.Size

// cramStates is the state of HMAC-MD5 (RFC 2104) after it has hashed the key: the state of
// the outer MD5, then the state of the inner MD5, each as four little-endian words. This is
// Dovecot's {CRAM-MD5}, formerly named HMAC-MD5. It is enough to compute the response to any
// challenge. So a thief who has the hash can log in by CRAM-MD5 without the password.
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

// respond returns the HMAC-MD5 of the challenge.
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

// Go marshals an MD5 as "md5\x01", the four words of its state in big endian, and the data
// that has not been hashed yet. Go's own tests keep this format stable.
const md5Words = 4

// md5State returns the marshaled state of MD5 after one block.
func md5State(block [md5.BlockSize]byte) ([]byte, error) {
	h := md5.New()
	h.Write(block[:])
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, errors.New("the state of this MD5 cannot be read")
	}
	return m.MarshalBinary()
}

// resumeMD5 returns an MD5 that has hashed one block and then has the given four words of state.
func resumeMD5(words []byte) (hash.Hash, error) {
	state, err := md5State([md5.BlockSize]byte{})
	if err != nil {
		return nil, err
	}
	swapWords(state[md5Words:], words)
	h := md5.New()
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, errors.New("the state of this MD5 cannot be set")
	}
	return h, u.UnmarshalBinary(state)
}

func swapWords(dst, src []byte) {
	for i := 0; i < md5.Size; i += 4 {
		binary.LittleEndian.PutUint32(dst[i:], binary.BigEndian.Uint32(src[i:]))
	}
}

// VerifyCRAMMD5 reports whether the digest, in hex, is the right response to the challenge
// (RFC 2195), in constant time. The challenge has the form that the client saw,
// "<123.456@host>". VerifyCRAMMD5 returns [ErrSchemeNotAvailable] for all schemes but
// cleartext, CRAM-MD5 and HMAC-MD5.
func (h Hash) VerifyCRAMMD5(challenge, hexDigest string) (bool, error) {
	if h.scheme == nil || !h.scheme.challenges {
		return false, ErrSchemeNotAvailable
	}
	v, _ := h.parsed()
	switch v := v.(type) {
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

// VerifyAPOP reports whether the digest, in hex, is the MD5 of challenge and password
// (RFC 1939, section 7), in constant time. VerifyAPOP returns [ErrSchemeNotAvailable] for
// all schemes but cleartext.
func (h Hash) VerifyAPOP(challenge, hexDigest string) (bool, error) {
	clear, ok := h.Cleartext()
	if !ok {
		return false, ErrSchemeNotAvailable
	}
	want := md5.Sum([]byte(challenge + clear))
	return equalHex(want[:], hexDigest), nil
}

func equalHex(want []byte, hexDigest string) bool {
	got, err := hex.DecodeString(hexDigest)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1
}
