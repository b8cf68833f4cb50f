package password

import (
	"errors"
	"testing"
)

// TestChallenges tests that the table marks the schemes that can answer a challenge, and no others: another one would
// only be parsed in vain, but one that is not marked could not be used.
func TestChallenges(t *testing.T) {
	for _, s := range schemes {
		if s.make == nil {
			continue
		}
		text, err := Make(s.name, "alice@a.example", "secret", 0)
		if err != nil {
			t.Fatal(err)
		}
		h, err := Policy{AllowWeak: true}.Parse(text, "alice@a.example")
		if err != nil {
			t.Fatal(err)
		}
		v, err := h.parsed()
		if err != nil {
			t.Fatalf("%s is not parsed again: %v", s.name, err)
		}
		_, isClear := v.(cleartext)
		_, isCRAM := v.(*cramStates)
		if s.challenges != (isClear || isCRAM) {
			t.Errorf("%s is marked %v", s.name, s.challenges)
		}
		if _, err := h.VerifyCRAMMD5("<1@a.example>", ""); errors.Is(err, ErrSchemeNotAvailable) == s.challenges {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

// BenchmarkParsed measures what each login pays because a Hash keeps only the text.
func BenchmarkParsed(b *testing.B) {
	for _, scheme := range []string{"PLAIN", "SHA512-CRYPT", "BLF-CRYPT", "ARGON2ID", "SSHA512", "CRAM-MD5"} {
		text, err := Make(scheme, "alice@a.example", "secret", 0)
		if err != nil {
			b.Fatal(err)
		}
		h, err := Policy{}.Parse(text, "")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(scheme, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.parsed()
			}
		})
	}
}
