// Package password verifies passwords against the hashes of a user map, answers the
// challenges of CRAM-MD5 and APOP, and makes hashes.
//
// # Format
//
// A hash is written as Dovecot writes it, "{SCHEME}value". Without a scheme a
// value that begins with "$" is CRYPT; anything else is refused, so that a bare
// word is never taken for a password in cleartext. The scheme's name may be in any
// case and may end in ".b64", ".base64" or ".hex", which says how the value is
// written. Without that it is base64 or hex as in the table, and where the length of
// the value tells one from the other, either.
//
// # Schemes
//
//	ARGON2ID, ARGON2I        $argon2id$v=19$m=65536,t=3,p=1$salt$key
//	BLF-CRYPT                $2y$05$… (also $2a$ and $2b$); first 72 bytes of a password
//	SHA512-CRYPT             $6$salt$key, $6$rounds=5000$salt$key
//	SHA256-CRYPT             $5$salt$key, $5$rounds=5000$salt$key
//	CRYPT                    any of the above that begins with "$", and
//	                         $y$ yescrypt, $gy$ gost-yescrypt, $7$ scrypt,
//	                         $sha1$ of NetBSD, $1$ MD5, and without "$" 13 digits of DES
//	PBKDF2                   $1$salt$iterations$key: HMAC-SHA-1, the key in hex
//	SCRAM-SHA-256, -SHA-1    iterations,salt,StoredKey,ServerKey in base64
//	SSHA512, SSHA256, SSHA   base64 of sum and salt, the sum over password and salt
//	SHA512, SHA256, SHA1     base64 of the sum; SHA is SHA1
//	CRAM-MD5                 hex of the two states of HMAC-MD5 after the key
//	DIGEST-MD5               hex of MD5(user:realm:password)
//	PLAIN, CLEAR, CLEARTEXT  the password itself
//
// Weak ones, taken only with [Policy].AllowWeak (allow_weak_schemes in the configuration):
//
//	HMAC-MD5                 the same as CRAM-MD5
//	MD5-CRYPT                $1$salt$key
//	MD5                      MD5-CRYPT, or PLAIN-MD5
//	SMD5                     base64 of sum and salt
//	LDAP-MD5                 base64 of the sum
//	PLAIN-MD5, PLAIN-MD4     hex of the sum
//	DES-CRYPT                13 digits; first 8 bytes of a password, low 7 bits of each
//	OTP                      sha1 1024 seed key: the pass phrase is verified
//	PLAIN-TRUNC              8-password: only the first 8 bytes are known
//	CRYPT                    with $apr1$, the MD5 of htpasswd
//
// A value must be of its scheme: Dovecot hands SHA512-CRYPT, SHA256-CRYPT and DES-CRYPT to
// crypt(3) and so takes {SHA512-CRYPT}$5$…; here that is an error, and {CRYPT}$5$… is
// right. An error too is what no password can match: a damaged key, a salt that crypt(3)
// would cut, a number with a leading zero.
//
// A password is bytes: nothing is normalized. One with a NUL matches nothing, because
// crypt(3) would see its beginning only.
//
// # Limits
//
// Parse refuses, before anything is computed, what would cost a login too much:
//
//	ARGON2, $y$, $gy$, $7$   over 1 GiB of memory ([Policy].MaxArgon2Memory), or more
//	                         work than [MaxPasses] passes over so much
//	BLF-CRYPT                a cost over [MaxBcryptCost]
//	all others               over [MaxIterations] rounds or iterations
//
// # Errors
//
// Errors of [Policy.Parse] name the scheme and what is wrong with it, never the value:
// it may be a password. All that can be wrong is found there; later errors are those of
// the libraries. [ErrSchemeNotAvailable] says that a hash cannot answer a challenge.
//
// # What it stands on
//
// The standard library, golang.org/x/crypto (argon2, bcrypt, scrypt, md4), and
// github.com/go-crypt/x (SHA-crypt, $sha1$, yescrypt), which go-crypt/crypt stands on as
// well: that one's own parsers replace damaged parameters by defaults, so a value is
// parsed here. Package crypt has the hash functions that none of these libraries has.
//
// What the formats mean was learned from Dovecot's password-scheme.c and libxcrypt's
// crypt(5). The tests compare with doveadm pw and with the system's crypt(3).
package password
