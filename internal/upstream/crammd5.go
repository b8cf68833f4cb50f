package upstream

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"strings"
)

const cramMD5 = "CRAM-MD5"

// CRAMMD5 returns the response to a CRAM-MD5 challenge (RFC 2195 section 2), not yet in base64:
// the user name, a space, and HMAC-MD5(password, challenge) in hex.
func CRAMMD5(user, password string, challenge []byte) string {
	mac := hmac.New(md5.New, []byte(password))
	mac.Write(challenge)
	return user + " " + hex.EncodeToString(mac.Sum(nil))
}

// cram is the client's side of CRAM-MD5.
type cram struct{ user, password, digest string }

func newCRAMMD5(_ context.Context, _ Server, user, password string) exchange {
	return &cram{user: user, password: password}
}

func (*cram) first() bool { return false }

func (x *cram) respond(challenge []byte) ([]byte, error) {
	if x.digest != "" {
		return nil, errTooMuch
	}
	if len(challenge) == 0 {
		return nil, errors.New("challenge is empty")
	}
	answer := CRAMMD5(x.user, x.password, challenge)
	x.digest = answer[len(x.user)+1:]
	return []byte(answer), nil
}

func (x *cram) secrets() []string { return []string{x.digest, strings.ToUpper(x.digest)} }

func (*cram) checkOutcome(verdict) error { return nil } // there is only one response, and it was sent
