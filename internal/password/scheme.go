package password

import (
	"errors"
	"fmt"
	"strings"
)

// scheme is one of Dovecot's password schemes.
type scheme struct {
	name     string
	weak     bool
	encoding coding // of the value if its name has no suffix
	size     int    // of the decoded value if it is fixed, which shows hex or base64
	parse    func(source) (verifier, error)
	make     func(request) (string, error) // makes a value before it is encoded; nil: unsupported

	challenges bool // whether it can answer CRAM-MD5, or CRAM-MD5 and APOP
}

// source holds a value and what else its parser needs.
type source struct {
	policy Policy
	user   string
	value  string // decoded
}

// Scheme describes a scheme.
type Scheme struct {
	Name string
	Weak bool // whether [Policy.Parse] accepts it with AllowWeak only
	Make bool // whether [Make] makes it
}

// Schemes returns the schemes that this package supports, the weak ones last.
func Schemes() []Scheme {
	list := make([]Scheme, len(schemes))
	for i, s := range schemes {
		list[i] = Scheme{Name: s.name, Weak: s.weak, Make: s.make != nil}
	}
	return list
}

// schemes lists the schemes in the order of preference, the weak ones last.
var schemes = []scheme{
	{name: "ARGON2ID", parse: only("$argon2id$"), make: makeArgon2id},
	{name: "ARGON2I", parse: only("$argon2i$"), make: makeArgon2i},
	{name: "BLF-CRYPT", parse: only("$2"), make: makeBcrypt},
	{name: "SHA512-CRYPT", parse: only("$6$"), make: sha512Crypt.make},
	{name: "SHA256-CRYPT", parse: only("$5$"), make: sha256Crypt.make},
	{name: "CRYPT", parse: parseCrypt, make: makeBcrypt},
	{name: "PBKDF2", parse: parsePBKDF2, make: makePBKDF2},
	{name: "SCRAM-SHA-256", parse: scramSHA256.parse, make: scramSHA256.make},
	{name: "SCRAM-SHA-1", parse: scramSHA1.parse, make: scramSHA1.make},
	{name: "SSHA512", encoding: inBase64, parse: sha512Digest.parseSalted, make: sha512Digest.makeSalted},
	{name: "SSHA256", encoding: inBase64, parse: sha256Digest.parseSalted, make: sha256Digest.makeSalted},
	{name: "SSHA", encoding: inBase64, parse: sha1Digest.parseSalted, make: sha1Digest.makeSalted},
	{name: "SHA512", encoding: inBase64, size: sha512Digest.size, parse: sha512Digest.parse, make: sha512Digest.make},
	{name: "SHA256", encoding: inBase64, size: sha256Digest.size, parse: sha256Digest.parse, make: sha256Digest.make},
	{name: "SHA1", encoding: inBase64, size: sha1Digest.size, parse: sha1Digest.parse, make: sha1Digest.make},
	{name: "SHA", encoding: inBase64, size: sha1Digest.size, parse: sha1Digest.parse, make: sha1Digest.make},
	{name: "CRAM-MD5", encoding: inHex, size: cramSize, parse: parseCRAMMD5, make: makeCRAMMD5, challenges: true},
	{name: "DIGEST-MD5", encoding: inHex, size: md5Digest.size, parse: parseDigestMD5, make: makeDigestMD5},
	{name: "PLAIN", parse: parsePlain, make: makePlain, challenges: true},
	{name: "CLEAR", parse: parsePlain, make: makePlain, challenges: true},
	{name: "CLEARTEXT", parse: parsePlain, make: makePlain, challenges: true},

	{name: "HMAC-MD5", weak: true, encoding: inHex, size: cramSize, parse: parseCRAMMD5, make: makeCRAMMD5, challenges: true},
	{name: "MD5-CRYPT", weak: true, parse: only("$1$"), make: makeMD5Crypt},
	{name: "MD5", weak: true, parse: parseMD5, make: makeMD5Crypt},
	{name: "SMD5", weak: true, encoding: inBase64, parse: md5Digest.parseSalted, make: md5Digest.makeSalted},
	{name: "LDAP-MD5", weak: true, encoding: inBase64, size: md5Digest.size, parse: md5Digest.parse, make: md5Digest.make},
	{name: "PLAIN-MD5", weak: true, encoding: inHex, size: md5Digest.size, parse: md5Digest.parse, make: md5Digest.make},
	{name: "PLAIN-MD4", weak: true, encoding: inHex, size: md4Digest.size, parse: md4Digest.parse, make: md4Digest.make},
	{name: "DES-CRYPT", weak: true, parse: parseDES, make: makeDES},
	{name: "OTP", weak: true, parse: parseOTP},
	{name: "PLAIN-TRUNC", weak: true, parse: parsePlainTrunc},
}

// lookup returns the scheme with a name in upper case, and the encoding that its suffix, such as
// ".B64", names.
func lookup(name string) (*scheme, coding, error) {
	name, suffix, found := strings.Cut(name, ".")
	for i := range schemes {
		s := &schemes[i]
		if s.name != name {
			continue
		}
		if !found {
			return s, guess, nil
		}
		if e, ok := encodings[suffix]; ok {
			return s, e, nil
		}
		return nil, 0, fmt.Errorf("scheme %s: unknown encoding (known: b64, base64, hex)", name)
	}
	return nil, 0, fmt.Errorf("unknown scheme %q (known: %s)", name, knownNames())
}

func knownNames() string {
	names := make([]string, len(schemes))
	for i, s := range schemes {
		names[i] = s.name
	}
	return strings.Join(names, ", ")
}

func (s *scheme) read(src source, e coding) (verifier, error) {
	if src.value == "" {
		return nil, errors.New("empty value")
	}
	value, err := s.decode(src.value, e)
	if err != nil {
		return nil, err
	}
	src.value = value
	return s.parse(src)
}

// decode decodes a value. As in Dovecot, it accepts hex and base64 if the name of the scheme has
// no suffix and the length of the value shows which one it is.
func (s *scheme) decode(value string, e coding) (string, error) {
	if e != guess {
		decoded, err := e.decode(value)
		if err == nil && s.size != 0 && len(decoded) != s.size {
			err = fmt.Errorf("value is not %d bytes long", s.size)
		}
		return decoded, err
	}
	if s.size == 0 {
		return s.encoding.decode(value)
	}
	for _, e := range []coding{inHex, inBase64} {
		if decoded, err := e.decode(value); err == nil && len(decoded) == s.size {
			return decoded, nil
		}
	}
	return "", fmt.Errorf("value is not %d bytes in hex or base64", s.size)
}
