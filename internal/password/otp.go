package password

import (
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"mailauthd/internal/crypt"
)

// otp is a one-time password, "sha1 1024 seed key". As in Dovecot, a login that does not use
// the mechanism OTP is verified by the pass phrase from which all one-time passwords are made.
type otp struct {
	kind  *digestKind
	count int
	seed  string
	key   []byte
}

var otpKinds = map[string]*digestKind{"md4": md4Digest, "md5": md5Digest, "sha1": sha1Digest}

func parseOTP(src source) (verifier, error) {
	fields := strings.Split(src.value, " ")
	if len(fields) != 4 {
		return nil, errFormat
	}
	h := &otp{kind: otpKinds[fields[0]], seed: strings.ToLower(fields[2])}
	if h.kind == nil {
		return nil, errFormat
	}
	n, err := number(fields[1])
	if err != nil {
		return nil, err
	}
	if n > 0 { // 0 is the last of a sequence
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
	key := crypt.OTP(h.kind.new, h.count, h.seed, password)
	return subtle.ConstantTimeCompare(key, h.key) == 1, nil
}
