package upstream

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// leak has every form of the password that must be hidden.
var leak = strings.Join([]string{password, `"` + password + `"`, password64, strings.TrimRight(password64, "="), plain64, "\x00" + user + "\x00" + password}, " ")

// leakingAnswers returns answers to a login that contain the password, with the outcome of the
// login. The lead is a tag.
func leakingAnswers(protocol, lead string) map[string]outcome {
	switch protocol {
	case "imap":
		return map[string]outcome{
			"* OK " + leak + "⏎" + lead + " OK " + leak: good, lead + " NO " + leak: reject,
			lead + " NO [UNAVAILABLE] " + leak: tempfail, lead + " BAD " + leak: tempfail, "* BYE " + leak: tempfail,
			"+ " + leak: tempfail, "+ " + password64: tempfail, leak: tempfail,
		}
	case "pop3":
		return map[string]outcome{"+OK " + leak: good, "-ERR " + leak: reject, "-ERR [SYS/TEMP] " + leak: tempfail, "+ " + password64: tempfail, leak: tempfail}
	}
	return map[string]outcome{
		"235-" + leak + "⏎235 " + leak: good, "535 " + leak: reject, "454-" + leak + "⏎454 " + leak: tempfail,
		"334 " + password64: tempfail, "999 " + leak: tempfail, leak: tempfail,
	}
}

// TestEchoes checks that no reply, error or trace shows the password, whatever the mechanism. A
// server may echo what it was sent, or send its own copy of the password, as it is or in base64.
func TestEchoes(t *testing.T) {
	for _, x := range exchanges {
		lines := strings.Split(strings.TrimSpace(x.text), "\n")
		lead, _, _ := strings.Cut(strings.TrimPrefix(lines[len(lines)-2], "S: "), " ")
		for says, want := range leakingAnswers(x.protocol, lead) {
			s := serverOn(x.protocol, longTimeout)
			s.Mechanisms = x.mechanisms
			text := strings.Join(append(slices.Clone(lines[:len(lines)-2]), "S: "+says), "\n")
			wantHidden(t, x.protocol+" "+x.name+": "+says, want, s, transcript(text)...)
		}
	}
}

// wantHidden logs in with loginTo, which looks for secrets, and checks the outcome.
func wantHidden(t *testing.T, name string, want outcome, s Server, steps ...step) {
	t.Helper()
	_, trace, err := loginTo(t, t.Context(), s, steps...)
	if outcomeOf(err) != want || notInTime(err) {
		t.Errorf("%q: %v, want %s", name, err, want)
	}
	if !strings.Contains(strings.Join(trace, "\n"), "***") {
		t.Errorf("%q: nothing was hidden", name)
	}
}

// TestEchoesInTheMiddle checks a server that sends the password before the end of the login.
func TestEchoesInTheMiddle(t *testing.T) {
	for _, tt := range []struct{ protocol, mechanism, text string }{
		{"pop3", "USER", "S: +OK ready\nC: USER tim\nS: +OK " + leak + "\nC: PASS " + password + "\nS: +OK"},
		{"pop3", "PLAIN", "S: +OK ready\nC: AUTH PLAIN\nS: + " + plain64 + "\nC: " + plain64 + "\nS: +OK"},
		{"pop3", "LOGIN", "S: +OK ready\nC: AUTH LOGIN\nS: + " + password64 + "\nC: " + user64 + "\nS: + " + plain64 + "\nC: " + password64 + "\nS: +OK"},
		{"pop3", "CRAM-MD5", "S: +OK ready\nC: AUTH CRAM-MD5\nS: + " + password64 + "\nC: *\nS: +OK"},
		{"smtp", "PLAIN", "S: 220 x\nC: EHLO*\nS: 250 x\nC: AUTH PLAIN\nS: 334 " + password64 + "\nC: " + plain64 + "\nS: 235 yes"},
		{"smtp", "LOGIN", "S: 220 x\nC: EHLO*\nS: 250 x\nC: AUTH LOGIN\nS: 334\nC: " + user64 + "\nS: 334-" + password64 + "⏎334 " + leak + "\nC: " + password64 + "\nS: 503 no"},
		{"imap", "CRAM-MD5", "S: * OK ready\nC: 001 AUTHENTICATE CRAM-MD5\nS: * NO " + leak + "⏎+ " + challenge + "\nC: " + answer + "\nS: 001 OK"},
	} {
		s := serverOn(tt.protocol, longTimeout)
		s.Mechanisms = []string{tt.mechanism}
		want := good
		if strings.HasSuffix(tt.text, "no") {
			want = tempfail
		}
		wantHidden(t, tt.text, want, s, transcript(tt.text)...)
	}
}

// TestSCRAMEchoes does the same with SCRAM, which does not send the password.
func TestSCRAMEchoes(t *testing.T) {
	says := func(text string) string { return strings.ReplaceAll(text, "⏎", "\r\n") + "\r\n" }
	for text, want := range leakingAnswers("imap", "001") {
		f := scramServer{hash: sha256.New, right: password, lead: "+ ", yes: says(text), no: says(text)}
		if want == reject {
			f.right = "x"
		}
		s := serverOn("imap", longTimeout)
		s.Mechanisms = []string{"SCRAM-SHA-256"}
		wantHidden(t, text, want, s, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), f.step("001 AUTHENTICATE SCRAM-SHA-256"))

		f.first = says(text) // instead of the challenge, so a success does not count
		if want == good {
			want = tempfail
		}
		wantHidden(t, text, want, s, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), f.step("001 AUTHENTICATE SCRAM-SHA-256"))
	}
	f := scramServer{hash: sha256.New, lead: "+ ", first: "r=NONCEtheirs,s=c2FsdA==,i=" + password}
	s := serverOn("imap", longTimeout)
	s.Mechanisms = []string{"SCRAM-SHA-256"}
	wantHidden(t, "iterations", tempfail, s, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), f.step("001 AUTHENTICATE SCRAM-SHA-256"))
}

// TestMasked checks that all forms of a password are hidden, whatever its length and characters.
func TestMasked(t *testing.T) {
	for _, password := range []string{"x", "A", "***", "xy", "xyz", `a"b\c`, "p\u00e4ss", "secret", "AHRp", "tim"} {
		plain := "\x00tim\x00" + password
		c := newConn(Server{Protocol: "imap"}, nil)
		c.hideLogin("tim", password)
		for _, form := range []string{
			password, quote(password), base64.StdEncoding.EncodeToString([]byte(password)), base64.RawStdEncoding.EncodeToString([]byte(password)),
			base64.StdEncoding.EncodeToString([]byte(plain)), base64.RawStdEncoding.EncodeToString([]byte(plain)),
		} {
			if got := c.masked(form); got != "***" {
				t.Errorf("%q of %q is shown as %q", form, password, got)
			}
		}
	}
	c := newConn(Server{Protocol: "imap"}, nil)
	c.hideLogin("tim", "")
	if line := `001 NO "" is not a password`; c.masked(line) != line {
		t.Errorf("without a password %q is shown as %q", line, c.masked(line))
	}
}
