package redisdb

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"sync"
)

// secrets are keys that are derived from the configured secret, one for each use.
type secrets struct {
	names       *sync.Pool // of hash.Hash, because it costs more to make one than to use it
	sealing     cipher.AEAD
	fingerprint string
}

func newSecrets(secret []byte) secrets {
	sealing, _ := aes.NewCipher(derive(secret, "announcements")) // the length is right
	gcm, _ := cipher.NewGCMWithRandomNonce(sealing)
	names := derive(secret, "names")
	return secrets{
		names:       &sync.Pool{New: func() any { return hmac.New(sha256.New, names) }},
		sealing:     gcm,
		fingerprint: base64.RawURLEncoding.EncodeToString(derive(secret, "fingerprint")[:9]),
	}
}

func derive(secret []byte, use string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("mailauthd redis " + use))
	return h.Sum(nil)
}

// Hash returns 64 bits of an HMAC-SHA256 of a value with the secret. Values of another kind have other hashes.
func (c *Client) Hash(kind byte, value string) uint64 {
	h := c.secrets.names.Get().(hash.Hash)
	defer c.secrets.names.Put(h)
	h.Reset()
	text := append([]byte{kind}, value...)
	h.Write(text)
	return binary.BigEndian.Uint64(h.Sum(text[:0]))
}

// seal encrypts an announcement. The text of an encrypted announcement is base64.
func (s secrets) seal(text string) string {
	return base64.RawStdEncoding.EncodeToString(s.sealing.Seal(nil, nil, []byte(text), nil))
}

// open decrypts an announcement. It returns an error for one that was sealed with another secret.
func (s secrets) open(sealed string) (string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", errors.New("not an announcement of mailauthd")
	}
	text, err := s.sealing.Open(nil, nil, raw, nil)
	return string(text), err
}

func newID() string { return rand.Text()[:16] }
