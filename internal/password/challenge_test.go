package password

import (
	"errors"
	"strings"
	"testing"
)

const (
	// RFC 2195, section 2, and RFC 1939, section 7.
	cramChallenge, cramDigest, cramPassword = "<1896.697170952@postoffice.reston.mci.net>", "b913a602c7eda7a495b4e6e7334d3890", "tanstaaftanstaaf"
	apopChallenge, apopDigest, apopPassword = "<1896.697170952@dbc.mtview.ca.us>", "c4c9334bac560ecc979e58001b3e22fb", "tanstaaf"
	// The output of doveadm pw -s CRAM-MD5 for the password of RFC 2195.
	cramHash = "d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b"
)

// wrongDigests returns strings that differ from a digest a little, or are not digests at all.
func wrongDigests(digest string) []string {
	return []string{"", digest[:30], digest + "00", "0" + digest[1:], digest[:31] + "1", strings.Repeat("z", 32), strings.Repeat("0", 32)}
}

func TestCRAMMD5(t *testing.T) {
	for _, value := range []string{"{PLAIN}" + cramPassword, "{CLEARTEXT}" + cramPassword, "{CRAM-MD5}" + cramHash, "{HMAC-MD5}" + cramHash} {
		h := parse(t, value, "")
		for _, right := range []string{cramDigest, strings.ToUpper(cramDigest)} {
			if ok, err := h.VerifyCRAMMD5(cramChallenge, right); !ok || err != nil {
				t.Errorf("scheme %s: %v, %v", h.Scheme(), ok, err)
			}
		}
		for _, wrong := range wrongDigests(cramDigest) {
			if ok, err := h.VerifyCRAMMD5(cramChallenge, wrong); ok || err != nil {
				t.Errorf("scheme %s: digest %q: %v, %v", h.Scheme(), wrong, ok, err)
			}
		}
		if ok, err := h.VerifyCRAMMD5(cramChallenge+" ", cramDigest); ok || err != nil {
			t.Errorf("scheme %s: another challenge: %v, %v", h.Scheme(), ok, err)
		}
	}
}

// TestCRAMMD5StatesAnswerAsCleartext tests that the CRAM-MD5 hash of a password gives the same
// response as the password itself.
func TestCRAMMD5StatesAnswerAsCleartext(t *testing.T) {
	for _, password := range passwords {
		value, err := Make("CRAM-MD5", "", password, 0)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := parse(t, value, "").parsed()
		states, ok := v.(*cramStates)
		if !ok {
			t.Fatal("not parsed as the states of CRAM-MD5")
		}
		for _, challenge := range []string{"", "<1.2@host>", strings.Repeat("x", 200)} {
			digest, err := states.respond(challenge)
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := parse(t, "{PLAIN}"+password, "").VerifyCRAMMD5(challenge, inHex.encode(string(digest))); !ok || err != nil {
				t.Errorf("password %q, challenge %q: %v, %v", password, challenge, ok, err)
			}
		}
	}
}

func TestAPOP(t *testing.T) {
	h := parse(t, "{PLAIN}"+apopPassword, "")
	if ok, err := h.VerifyAPOP(apopChallenge, apopDigest); !ok || err != nil {
		t.Errorf("right digest: %v, %v", ok, err)
	}
	for _, wrong := range wrongDigests(apopDigest) {
		if ok, err := h.VerifyAPOP(apopChallenge, wrong); ok || err != nil {
			t.Errorf("digest %q: %v, %v", wrong, ok, err)
		}
	}
}

func TestSchemesForChallenges(t *testing.T) {
	hashes := []Hash{{}}
	for _, tt := range knownAnswers {
		hashes = append(hashes, parse(t, tt.hash, dovecotUser))
	}
	cleartext := map[string]bool{"PLAIN": true, "CLEAR": true, "CLEARTEXT": true}
	for _, h := range hashes {
		if s, ok := h.Cleartext(); ok != cleartext[h.Scheme()] || ok != (s != "") {
			t.Errorf("scheme %s: Cleartext = %q, %v", h.Scheme(), s, ok)
		}
		_, err := h.VerifyAPOP("<>", apopDigest)
		if got := err == nil; got != cleartext[h.Scheme()] || !got && !errors.Is(err, ErrSchemeNotAvailable) {
			t.Errorf("scheme %s: APOP: %v", h.Scheme(), err)
		}
		_, err = h.VerifyCRAMMD5("<>", cramDigest)
		want := cleartext[h.Scheme()] || h.Scheme() == "CRAM-MD5" || h.Scheme() == "HMAC-MD5"
		if got := err == nil; got != want || !got && !errors.Is(err, ErrSchemeNotAvailable) {
			t.Errorf("scheme %s: CRAM-MD5: %v", h.Scheme(), err)
		}
	}
}
