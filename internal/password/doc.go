// Package password verifies passwords, and the responses to CRAM-MD5 and APOP challenges,
// against hashes that [Policy.Parse] has read. [Make] makes hashes.
//
// # Format
//
// A hash is written as in Dovecot, "{SCHEME}value". Without a scheme, a value that begins
// with "$" is CRYPT. Any other value without a scheme is refused, so that a bare word is
// never taken for a password in cleartext.
//
// The name of the scheme may be in any case. It may end in ".b64", ".base64" or ".hex", which
// is the encoding of the value. Without such a suffix the value is in base64 or hex as in the
// table. If the length of the value shows which of the two it is, either is accepted.
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
// Weak schemes are accepted only with [Policy].AllowWeak (allow_weak_schemes in the
// configuration):
//
//	HMAC-MD5                 the same as CRAM-MD5
//	MD5-CRYPT                $1$salt$key
//	MD5                      MD5-CRYPT, or PLAIN-MD5
//	SMD5                     base64 of sum and salt
//	LDAP-MD5                 base64 of the sum
//	PLAIN-MD5, PLAIN-MD4     hex of the sum
//	DES-CRYPT                13 digits; first 8 bytes of a password, low 7 bits of each
//	OTP                      sha1 1024 seed key; the password is the pass phrase
//	PLAIN-TRUNC              8-password; only the first 8 bytes are compared
//	CRYPT                    with $apr1$, the MD5 of htpasswd
//
// A value must have the format of its scheme. Dovecot passes SHA512-CRYPT, SHA256-CRYPT and
// DES-CRYPT to crypt(3), and so accepts {SHA512-CRYPT}$5$…. Here that is an error; write
// {CRYPT}$5$… instead. A value that no password can match is an error too: a damaged key, a
// salt that crypt(3) would cut, a number with a leading zero.
//
// A password is a sequence of bytes and is not normalized. A password with a NUL matches no
// hash, because crypt(3) would read only the bytes before the NUL.
//
// # Limits
//
// Parse refuses hashes whose verification would be too expensive, without computing anything:
//
//	ARGON2, $y$, $gy$, $7$   over 1 GiB of memory ([Policy].MaxArgon2Memory), or more
//	                         work than [MaxPasses] passes over that much memory
//	BLF-CRYPT                a cost over [MaxBcryptCost]
//	all others               over [MaxIterations] rounds or iterations
//
// # Errors
//
// Errors of [Policy.Parse] name the scheme and the problem. They never contain the value,
// because it may be a password. Parse finds every problem of a hash; later errors come from
// the libraries. [ErrSchemeNotAvailable] means that a hash cannot be used for a challenge.
//
// # Libraries
//
// The hash functions come from the standard library, from golang.org/x/crypto (argon2,
// bcrypt, scrypt, md4), from github.com/go-crypt/x (SHA-crypt, $sha1$, yescrypt) and from
// package crypt. The parsers of go-crypt/crypt are not used, because they replace damaged
// parameters by defaults.
//
// The formats are those of Dovecot's password-scheme.c and libxcrypt's crypt(5). The tests
// compare with doveadm pw and with the system's crypt(3).
package password
