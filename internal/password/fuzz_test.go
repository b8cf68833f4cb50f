package password

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzParse tests that Parse returns either a hash or an error, and that no part of the value is
// in the error: a marker in the value must not appear there.
func FuzzParse(f *testing.F) {
	for _, tt := range knownAnswers {
		f.Add(tt.hash, 20, tt.password)
	}
	f.Add("{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", 30, "x")
	policy := Policy{AllowWeak: true, MaxArgon2Memory: 64}
	costly := regexp.MustCompile(`[0-9]{4}|\$2.\$(0[5-9]|1)`) // what is slow to verify
	f.Fuzz(func(t *testing.T, s string, at int, password string) {
		h, err := policy.Parse(s, dovecotUser)
		if _, again := h.parsed(); (err == nil) != (again == nil) || (err == nil) != (h.Scheme() != "") {
			t.Fatalf("Parse returned %v and the error %v: want one of the two", h, err)
		}
		if err == nil {
			useHash(t, h, password, !costly.MatchString(s))
		}
		if value := strings.IndexByte(s, '}') + 1; at >= value && at <= len(s) {
			const marker = "hunter2"
			if _, err := policy.Parse(s[:at]+marker+s[at:], dovecotUser); err != nil && strings.Contains(err.Error(), marker) {
				t.Errorf("the error contains a part of the value: %v", err)
			}
		}
	})
}

func useHash(t *testing.T, h Hash, password string, cheap bool) {
	if cheap {
		if _, err := h.Verify(password); err != nil {
			t.Errorf("scheme %s: %v", h.Scheme(), err)
		}
	}
	for _, verify := range []func(_, _ string) (bool, error){h.VerifyCRAMMD5, h.VerifyAPOP} {
		if ok, _ := verify(password, cramDigest); ok {
			t.Error("the digest of another password was accepted")
		}
	}
	if c, ok := h.Cleartext(); ok {
		if right, err := h.Verify(c); err != nil || right == strings.Contains(c, "\x00") {
			t.Errorf("cleartext: %v, %v", right, err)
		}
	}
}
