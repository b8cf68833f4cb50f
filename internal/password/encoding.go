package password

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"mailauthd/internal/crypt"
)

// coding is the encoding of the bytes of a value.
type coding int

const (
	asIs coding = iota
	inHex
	inBase64
	guess // the encoding follows from the scheme and the length of the value
)

// encodings maps the suffixes of a scheme's name, in upper case.
var encodings = map[string]coding{"HEX": inHex, "B64": inBase64, "BASE64": inBase64}

func (e coding) decode(s string) (string, error) {
	switch e {
	case inHex:
		b, err := hex.DecodeString(s)
		if err != nil {
			return "", errors.New("value is not hex")
		}
		return string(b), nil
	case inBase64:
		b, ok := decode64(base64.StdEncoding, s)
		if !ok {
			return "", errors.New("value is not base64")
		}
		return string(b), nil
	}
	return s, nil
}

func (e coding) encode(s string) string {
	switch e {
	case inHex:
		return hex.EncodeToString([]byte(s))
	case inBase64:
		return base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}

// decode64 accepts only what the encoder writes. By default encoding/base64 skips line ends
// and ignores unused bits at the end.
func decode64(e *base64.Encoding, s string) ([]byte, bool) {
	b, err := e.Strict().DecodeString(s)
	return b, err == nil && !strings.ContainsAny(s, "\r\n")
}

func isCrypt64(s string) bool { return strings.Trim(s, crypt.Digits) == "" }

// number reads a decimal number without a sign or leading zeros. crypt(3) compares text, so a
// hash that contains "+7" or "007" would match no password.
func number(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, errDamage
	}
	return n, nil
}
