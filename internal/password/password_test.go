package password

import (
	"strings"
	"testing"
)

// Known answers: made by doveadm pw 2.3.19, the SHA-crypt ones from its
// specification (Drepper, "Unix crypt using SHA-256 and SHA-512", test vectors).
var knownAnswers = []struct{ scheme, hash, password string }{
	{"PLAIN", "{PLAIN}correct horse", "correct horse"},
	{"PLAIN", "{plain}{PLAIN}x", "{PLAIN}x"},
	{"CLEARTEXT", "{CLEARTEXT}pässwörd", "pässwörd"},
	{"SHA256-CRYPT", "{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
	{"SHA512-CRYPT", "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!"},
	{"SHA512-CRYPT", "{SHA512-CRYPT}$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.", "Hello world!"},
	{"ARGON2ID", "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$YBlFuTZt06bus/BDB5sSYQ$1oqY9cWDTnIzMPd8+5JLCTWA7lvguCr2HKnCNUsMMHM", "tanst aaf"},
	{"ARGON2I", "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$vCSRJtsP27fMXY9ygzeNmQ$EDmniccMbLGQ1Z8HEK4n/NyHYcLg7XUW/gMZtNh2HZw", "tanst aaf"},
	{"BLF-CRYPT", "{BLF-CRYPT}$2y$05$ODB9w.Wo5hTmvvsepd3rqO/NGpI.WWpRl0tV1ImAD6jyDcMeBBIv6", "tanst aaf"},
	{"CRYPT", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!"},
	{"CRYPT", "{CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
}

func TestVerify(t *testing.T) {
	for _, tt := range knownAnswers {
		h, err := Parse(tt.hash)
		if err != nil {
			t.Errorf("Parse of a %s hash: %v", tt.scheme, err)
			continue
		}
		if h.Scheme() != tt.scheme {
			t.Errorf("scheme = %q, want %q", h.Scheme(), tt.scheme)
		}
		if ok, err := h.Verify(tt.password); !ok || err != nil {
			t.Errorf("%s: right password: %v, %v", tt.scheme, ok, err)
		}
		for _, wrong := range []string{"", tt.password + "x", tt.password[1:], strings.ToUpper(tt.password) + "!"} {
			if ok, err := h.Verify(wrong); ok || err != nil {
				t.Errorf("%s: wrong password: %v, %v", tt.scheme, ok, err)
			}
		}
	}
}

func TestParseRefusesWithoutTheValue(t *testing.T) {
	const secret = "hunter2"
	for _, tt := range []struct{ in, want string }{
		{secret, "no scheme"},
		{"", "no scheme"},
		{"{" + secret, "no scheme"},
		{"{my secret hunter2!}", "no scheme"},
		{"{FOO}" + secret, `unknown scheme "FOO" (known: ARGON2I, ARGON2ID, BLF-CRYPT,`},
		{"{PLAIN}", "empty value"},
		{"{SHA512-CRYPT}" + secret, "not in the scheme's format"},
		{"{SHA512-CRYPT}$6$" + secret, "not a hash of this scheme"},
		{"{SHA512-CRYPT}$6$salt$", "not a hash of this scheme"},
		{"{BLF-CRYPT}$2y$05$" + secret, "not a hash of this scheme"},
		{"{ARGON2ID}$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "not in the scheme's format"},
		{"{CRYPT}" + secret, "not in the scheme's format"},
		{"$9$" + secret, "not in the scheme's format"},
	} {
		h, err := Parse(tt.in)
		if err == nil {
			t.Errorf("no error for a value that should say %q", tt.want)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("error %q, want %q and not the value", err, tt.want)
		}
		if ok, err := h.Verify(""); ok || err == nil {
			t.Errorf("the zero hash verifies: %v, %v", ok, err)
		}
	}
}

func TestHashDoesNotPrint(t *testing.T) {
	h, err := Parse("{PLAIN}hunter2")
	if err != nil {
		t.Fatal(err)
	}
	if s := h.String(); s != "{PLAIN}***" {
		t.Errorf("String() = %q", s)
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range knownAnswers {
		f.Add(tt.hash)
	}
	f.Add("{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := Parse(s)
		if err == nil && h.match == nil {
			t.Error("neither a hash nor an error")
		}
	})
}
