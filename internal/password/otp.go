package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"

	//lint:ignore SA1019 weak, and for that reason only behind AllowWeak
	"golang.org/x/crypto/md4"
)

// otp is a one-time password (RFC 2289), "sha1 1024 seed key", verified against the pass
// phrase that all of them are made of, as Dovecot does for any login but OTP.
type otp struct {
	new   func() hash.Hash
	count int
	seed  string
	key   []byte
}

func parseOTP(src source) (verifier, error) {
	fields := strings.Split(src.value, " ")
	if len(fields) != 4 {
		return nil, errFormat
	}
	h := &otp{seed: strings.ToLower(fields[2])}
	switch fields[0] {
	case "md4":
		h.new = md4.New
	case "md5":
		h.new = md5.New
	case "sha1":
		h.new = sha1.New
	default:
		return nil, errFormat
	}
	n, err := number(fields[1])
	if err != nil {
		return nil, err
	}
	if n > 0 { // 0 is the end of a sequence
		if err := checkIterations(n); err != nil {
			return nil, err
		}
	}
	h.count = int(n)
	h.key, err = hex.DecodeString(fields[3])
	if err != nil || len(h.key) != 8 || h.seed == "" || len(h.seed) > 16 {
		return nil, errDamage
	}
	return h, nil
}

func (h *otp) verify(password string) (bool, error) {
	key := h.fold([]byte(h.seed + password))
	for range h.count {
		key = h.fold(key)
	}
	return subtle.ConstantTimeCompare(key, h.key) == 1, nil
}

// fold hashes and folds to 64 bits (RFC 2289, appendix A).
func (h *otp) fold(b []byte) []byte {
	d := h.new()
	d.Write(b)
	sum := d.Sum(nil)
	folded := make([]byte, 8)
	for i, c := range sum {
		folded[i%8] ^= c
	}
	if d.Size() == sha1.Size { // its words are big-endian, a one-time password is not
		for i := 0; i < 8; i += 4 {
			binary.LittleEndian.PutUint32(folded[i:], binary.BigEndian.Uint32(folded[i:]))
		}
	}
	return folded
}
