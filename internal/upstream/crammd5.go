package upstream

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// CRAMMD5 is the answer to a CRAM-MD5 challenge (RFC 2195 section 2), before
// base64: the user name, a space, and HMAC-MD5(password, challenge) in hex.
func CRAMMD5(user, password string, challenge []byte) string {
	mac := hmac.New(md5.New, []byte(password))
	mac.Write(challenge)
	return user + " " + hex.EncodeToString(mac.Sum(nil))
}

// answerChallenge does the second half of AUTH CRAM-MD5: challenge is the
// base64 text that the server sent.
func (c *conn) answerChallenge(challenge, user, password string) error {
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimRight(challenge, " "))
	if err != nil || len(decoded) == 0 {
		return errors.New("challenge is not base64")
	}
	answer := CRAMMD5(user, password, decoded)
	encoded, digest := base64.StdEncoding.EncodeToString([]byte(answer)), answer[len(user)+1:]
	c.hide(encoded, strings.TrimRight(encoded, "="), digest, strings.ToUpper(digest), password)
	return c.writeSecret(encoded)
}
