package password

import (
	"strings"
	"testing"
)

// knownAnswers are test vectors from the sources that are named above them.
var knownAnswers = []struct{ scheme, hash, password string }{
	// The three names of cleartext.
	{"PLAIN", "{PLAIN}correct horse", "correct horse"},
	{"PLAIN", "{plain}{PLAIN}x", "{PLAIN}x"},
	{"CLEAR", "{Clear.b64}Y29ycmVjdCBob3JzZQ==", "correct horse"},
	{"CLEARTEXT", "{CLEARTEXT}pässwörd", "pässwörd"},

	// The reference implementation of Argon2, src/test.c; the last two are from doveadm pw 2.3.19.
	{"ARGON2ID", "{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
	{"ARGON2ID", "{ARGON2ID}$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
	{"ARGON2I", "{ARGON2I}$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8", "password"},
	{"CRYPT", "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E", "password"},
	{"ARGON2ID", "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$YBlFuTZt06bus/BDB5sSYQ$1oqY9cWDTnIzMPd8+5JLCTWA7lvguCr2HKnCNUsMMHM", "tanst aaf"},
	{"ARGON2I", "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$vCSRJtsP27fMXY9ygzeNmQ$EDmniccMbLGQ1Z8HEK4n/NyHYcLg7XUW/gMZtNh2HZw", "tanst aaf"},

	// Apache httpd 2.4, "Password Formats".
	{"BLF-CRYPT", "{BLF-CRYPT}$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "myPassword"},
	{"CRYPT", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "myPassword"},
	{"SHA", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=", "myPassword"},
	{"DES-CRYPT", "{DES-CRYPT}rqXexS6ZhobKA", "myPasswo"},

	// Drepper, "Unix crypt using SHA-256 and SHA-512", test vectors.
	{"SHA256-CRYPT", "{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
	{"SHA512-CRYPT", "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!"},
	{"SHA512-CRYPT", "{SHA512-CRYPT}$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.", "Hello world!"},
	{"CRYPT", "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!"},

	// RFC 7914, section 12, as libxcrypt writes it.
	{"CRYPT", "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D", "pleaseletmein"},
	// yescrypt-go by yescrypt's author, yescrypt_wrapper_test.go.
	{"CRYPT", "$y$j75$z7ztFz2FayrKI79/jEwlL.$u5x/j193MQ09wbFaRGYr0AH/A/jh3kunjuhYRVRNkmC", "test1"},
	{"CRYPT", "$y$j9T$fqIAg4Vpv9o1MKgWMnyax.$BxkUx27fLJlPOfyIfNEBPzjrDQ95LXKgN5OJii3GL7.", "test5"},
	{"CRYPT", "{CRYPT}$y$j7.$//////////////////////$XXf4WJAUsQCV6TUulO3H/f3OWOuK8j8FX9ZtJluydw4", "salt length 22"},
	// libxcrypt 4.4, test/ka-table.inc.
	{"CRYPT", "$gy$j75$.......$N6CYdTSgCVSvLqvOOq1Vg0uJoowU8W6ATTXP.iItrO7", "beautiful"},
	{"CRYPT", "$gy$j75$.......$.95v53CDmbdxsfgzKki6y/hUGPTphFNQ.jHwVvD2Ly0", "*U*U*U*U"},
	{"MD5-CRYPT", "{MD5-CRYPT}$1$CCCCCCCC$YF.So56GLoDKmLeZdudRb/", "ecclesiastically"},
	{"MD5", "{MD5}$1$CCCCCCCC$D6VIjDq8l9PRLFIQ4dkbN.", "726 even"},
	{"CRYPT", "{CRYPT}abFZSxKKdq5s6", "abc"},
	// passlib, passlib.hash.sha1_crypt.
	{"CRYPT", "$sha1$40000$jtNX3nZ2$hBNaIXkt4wBI2o5rsi8KejSjNqIq", "password"},

	// RFC 6070, in Dovecot's form.
	{"PBKDF2", "{PBKDF2}$1$salt$1$0c60c80f961f0e71f3a9b524af6012062fe037a6", "password"},
	{"PBKDF2", "{PBKDF2}$1$salt$4096$4b007901b765489abead49d926f721d065a429c1", "password"},
	// RFC 5802, section 5, and RFC 7677, section 3; the keys follow from the examples.
	{"SCRAM-SHA-1", "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=", "pencil"},
	{"SCRAM-SHA-256", "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "pencil"},

	// FIPS 180, RFC 1321 and RFC 1320, "abc", in hex and in base64.
	{"SHA1", "{SHA1}a9993e364706816aba3e25717850c26c9cd0d89d", "abc"},
	{"SHA1", "{SHA1.hex}A9993E364706816ABA3E25717850C26C9CD0D89D", "abc"},
	{"SHA256", "{SHA256}ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "abc"},
	{"SHA256", "{SHA256}ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc"},
	{"SHA512", "{SHA512.HEX}ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f", "abc"},
	{"PLAIN-MD5", "{PLAIN-MD5}900150983cd24fb0d6963f7d28e17f72", "abc"},
	{"LDAP-MD5", "{LDAP-MD5}kAFQmDzST7DWlj99KOF/cg==", "abc"},
	{"PLAIN-MD5", "{PLAIN-MD5}kAFQmDzST7DWlj99KOF/cg==", "abc"},
	{"MD5", "{MD5}900150983cd24fb0d6963f7d28e17f72", "abc"},
	{"MD5", "{MD5}kAFQmDzST7DWlj99KOF/cg==", "abc"},
	{"PLAIN-MD4", "{PLAIN-MD4}a448017aaf21d8525fc10ae87aa6729d", "abc"},

	// doveadm pw 2.3.19.
	{"CRAM-MD5", "{CRAM-MD5}d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b", "tanstaaftanstaaf"},
	{"HMAC-MD5", "{HMAC-MD5}02d5d9f76f5960d8334deb0bd68f69df149548aab322f164c1e133dad07b2e40", strings.Repeat("0123456789", 10)},
	{"DIGEST-MD5", "{DIGEST-MD5}eb5a750053e4d2c34aa84bbc9b0b6ee7", "secret"},
	{"SMD5", "{SMD5}1rC/MQZKSf8uSoIYzktNdF/9yPo=", "x y"},
	{"SSHA", "{SSHA}nbJDj76seNeVQqfYgvKrAY3HlHZSDF75", "x y"},
	{"SSHA256", "{SSHA256}3cmf+WNk4yAn6q5Y7BhmfZqlonpegHpEa+DiivkfsQIGM8i+", "x y"},
	{"SSHA512", "{SSHA512}ximD0VB0mAItDWzDhDKwJE/hS89n3n532s6LP4s4PCgYcuUoK5TnlpgRJBXJtlan1mADkWN40ETT1Bmi0dsC2BkZi10=", "x y"},
	// RFC 2289, appendix C.
	{"OTP", "{OTP}md4 99 TeSt c5e612776e6c237a", "This is a test."},
	{"OTP", "{OTP}md5 1 TeSt 7965e05436f5029f", "This is a test."},
	{"OTP", "{OTP}sha1 0 TeSt bb9e6ae1979d8ff4", "This is a test."},
	{"OTP", "{OTP}sha1 99 TeSt 87FEC7768B73CCF9", "This is a test."},

	// Dovecot, password-scheme.c: the length is larger than the value, so the password was not cut.
	{"PLAIN-TRUNC", "{PLAIN-TRUNC}99-correct horse", "correct horse"},
}

func TestKnownAnswers(t *testing.T) {
	for _, tt := range knownAnswers {
		h := parse(t, tt.hash, "chris@elwood.innosoft.com")
		if h.Scheme() != tt.scheme {
			t.Errorf("%s: scheme = %q, want %q", tt.hash, h.Scheme(), tt.scheme)
		}
		checkOnly(t, h, tt.hash, tt.password, cut(tt.hash))
	}
}

func TestTruncatedPasswords(t *testing.T) {
	for _, tt := range []struct {
		hash, password string
		want           bool
	}{
		{"{PLAIN-TRUNC}8-password", "password", true},
		{"{PLAIN-TRUNC}8-password", "password and more", true},
		{"{PLAIN-TRUNC}8-password", "passwor", false},
		{"{PLAIN-TRUNC}8-password", "Password", false},
		{"{PLAIN-TRUNC}9-password", "password", true},
		{"{PLAIN-TRUNC}9-password", "password and more", false},
		{"{PLAIN-TRUNC}2-a-b", "a-b", true},
		{"{DES-CRYPT}rqXexS6ZhobKA", "myPassword", true}, // Apache, as above
	} {
		if ok, err := parse(t, tt.hash, "").Verify(tt.password); ok != tt.want || err != nil {
			t.Errorf("%s: Verify(%q) = %v, %v", tt.hash, tt.password, ok, err)
		}
	}
}

func TestDigestMD5IsOfOneUser(t *testing.T) {
	const hash = "{DIGEST-MD5}eb5a750053e4d2c34aa84bbc9b0b6ee7"
	for user, want := range map[string]bool{
		"chris@elwood.innosoft.com":   true,
		"chris@x@elwood.innosoft.com": false,
		"Chris@elwood.innosoft.com":   false,
		"chris":                       false,
	} {
		if ok, err := parse(t, hash, user).Verify("secret"); ok != want || err != nil {
			t.Errorf("user %s: %v, %v", user, ok, err)
		}
	}
	if _, err := anyScheme.Parse(hash, ""); err == nil || !strings.Contains(err.Error(), "needs the user name") {
		t.Errorf("without a user: %v", err)
	}
}
