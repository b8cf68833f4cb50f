package password

import (
	"errors"
	"fmt"
	"strings"
)

// format is a format of crypt(3), which is recognised by the prefix of a value.
type format struct {
	prefix string
	weak   bool
	parse  func(source) (verifier, error)
}

var formats = []format{
	{prefix: "$argon2id$", parse: parseArgon2},
	{prefix: "$argon2i$", parse: parseArgon2},
	{prefix: "$2a$", parse: parseBcrypt},
	{prefix: "$2b$", parse: parseBcrypt},
	{prefix: "$2y$", parse: parseBcrypt},
	{prefix: "$5$", parse: sha256Crypt.parse},
	{prefix: "$6$", parse: sha512Crypt.parse},
	{prefix: "$y$", parse: parseYescrypt},
	{prefix: "$gy$", parse: parseYescrypt},
	{prefix: "$7$", parse: parseScrypt},
	{prefix: "$sha1$", parse: parseSHA1Crypt},
	{prefix: "$1$", parse: parseMD5Crypt},
	{prefix: "$apr1$", weak: true, parse: parseMD5Crypt},
}

// parseCrypt accepts any format, as crypt(3) does. A value that does not begin with "$" is DES.
func parseCrypt(src source) (verifier, error) {
	if !strings.HasPrefix(src.value, "$") {
		return parseDES(src)
	}
	return find("$", src)
}

// only returns a parser of the formats whose prefix begins with prefix. Dovecot passes the
// values of some schemes to crypt(3) whatever their prefix, so the error says what to write.
func only(prefix string) func(source) (verifier, error) {
	return func(src source) (verifier, error) {
		v, err := find(prefix, src)
		if errors.Is(err, errFormat) {
			return nil, fmt.Errorf("%w (CRYPT accepts all formats of crypt(3))", err)
		}
		return v, err
	}
}

func find(prefix string, src source) (verifier, error) {
	for _, f := range formats {
		if !strings.HasPrefix(f.prefix, prefix) || !strings.HasPrefix(src.value, f.prefix) {
			continue
		}
		if f.weak && !src.policy.AllowWeak {
			return nil, fmt.Errorf("%s is %w", f.prefix, errWeak)
		}
		return f.parse(src)
	}
	return nil, errFormat
}
