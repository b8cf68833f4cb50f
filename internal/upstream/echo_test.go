package upstream

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// told is what an unkind server says of a login: all that must not be shown of it.
var told = strings.Join([]string{password, `"` + password + `"`, password64, strings.TrimRight(password64, "="), plain64, "\x00" + user + "\x00" + password}, " ")

// lastWords are answers to a login that tell it, with the outcome; lead is a tag.
func lastWords(protocol, lead string) map[string]outcome {
	switch protocol {
	case "imap":
		return map[string]outcome{
			"* OK " + told + "⏎" + lead + " OK " + told: good, lead + " NO " + told: reject,
			lead + " NO [UNAVAILABLE] " + told: tempfail, lead + " BAD " + told: tempfail, "* BYE " + told: tempfail,
			"+ " + told: tempfail, "+ " + password64: tempfail, told: tempfail,
		}
	case "pop3":
		return map[string]outcome{"+OK " + told: good, "-ERR " + told: reject, "-ERR [SYS/TEMP] " + told: tempfail, "+ " + password64: tempfail, told: tempfail}
	}
	return map[string]outcome{
		"235-" + told + "⏎235 " + told: good, "535 " + told: reject, "454-" + told + "⏎454 " + told: tempfail,
		"334 " + password64: tempfail, "999 " + told: tempfail, told: tempfail,
	}
}

// TestEchoes: a server may echo what it was sent, or tell the password that it has on file, as it is or
// in base64. No reply, error or trace shows it, whatever the mechanism.
func TestEchoes(t *testing.T) {
	for _, x := range exchanges {
		lines := strings.Split(strings.TrimSpace(x.text), "\n")
		lead, _, _ := strings.Cut(strings.TrimPrefix(lines[len(lines)-2], "S: "), " ")
		for says, want := range lastWords(x.protocol, lead) {
			s := serverOn(x.protocol, patience)
			s.Mechanisms = x.mechanisms
			text := strings.Join(append(slices.Clone(lines[:len(lines)-2]), "S: "+says), "\n")
			wantHidden(t, x.protocol+" "+x.name+": "+says, want, s, transcript(text)...)
		}
	}
}

// wantHidden logs in; loginTo looks for secrets.
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

// TestEchoesInTheMiddle: the server tells the password while the login goes on.
func TestEchoesInTheMiddle(t *testing.T) {
	for _, tt := range []struct{ protocol, mechanism, text string }{
		{"pop3", "USER", "S: +OK ready\nC: USER tim\nS: +OK " + told + "\nC: PASS " + password + "\nS: +OK"},
		{"pop3", "PLAIN", "S: +OK ready\nC: AUTH PLAIN\nS: + " + plain64 + "\nC: " + plain64 + "\nS: +OK"},
		{"pop3", "LOGIN", "S: +OK ready\nC: AUTH LOGIN\nS: + " + password64 + "\nC: " + user64 + "\nS: + " + plain64 + "\nC: " + password64 + "\nS: +OK"},
		{"pop3", "CRAM-MD5", "S: +OK ready\nC: AUTH CRAM-MD5\nS: + " + password64 + "\nC: *\nS: +OK"},
		{"smtp", "PLAIN", "S: 220 x\nC: EHLO*\nS: 250 x\nC: AUTH PLAIN\nS: 334 " + password64 + "\nC: " + plain64 + "\nS: 235 yes"},
		{"smtp", "LOGIN", "S: 220 x\nC: EHLO*\nS: 250 x\nC: AUTH LOGIN\nS: 334\nC: " + user64 + "\nS: 334-" + password64 + "⏎334 " + told + "\nC: " + password64 + "\nS: 503 no"},
		{"imap", "CRAM-MD5", "S: * OK ready\nC: 001 AUTHENTICATE CRAM-MD5\nS: * NO " + told + "⏎+ " + challenge + "\nC: " + answer + "\nS: 001 OK"},
	} {
		s := serverOn(tt.protocol, patience)
		s.Mechanisms = []string{tt.mechanism}
		want := good
		if strings.HasSuffix(tt.text, "no") {
			want = tempfail
		}
		wantHidden(t, tt.text, want, s, transcript(tt.text)...)
	}
}

// TestSCRAMEchoes does the same by SCRAM, which sends the password in no form.
func TestSCRAMEchoes(t *testing.T) {
	says := func(text string) string { return strings.ReplaceAll(text, "⏎", "\r\n") + "\r\n" }
	for text, want := range lastWords("imap", "001") {
		f := scramServer{hash: sha256.New, right: password, lead: "+ ", yes: says(text), no: says(text)}
		if want == reject {
			f.right = "x"
		}
		s := serverOn("imap", patience)
		s.Mechanisms = []string{"SCRAM-SHA-256"}
		wantHidden(t, text, want, s, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), f.step("001 AUTHENTICATE SCRAM-SHA-256"))

		f.first = says(text) // instead of the challenge; a success is none
		if want == good {
			want = tempfail
		}
		wantHidden(t, text, want, s, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), f.step("001 AUTHENTICATE SCRAM-SHA-256"))
	}
	f := scramServer{hash: sha256.New, lead: "+ ", first: "r=NONCEtheirs,s=c2FsdA==,i=" + password}
	s := serverOn("imap", patience)
	s.Mechanisms = []string{"SCRAM-SHA-256"}
	wantHidden(t, "iterations", tempfail, s, say("* OK [CAPABILITY SASL-IR AUTH=SCRAM-SHA-256] ready\r\n"), f.step("001 AUTHENTICATE SCRAM-SHA-256"))
}

// TestMasked: of all forms of a password nothing is left, whatever its length and its characters.
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
	if line := `001 NO "" is no password`; c.masked(line) != line {
		t.Errorf("without a password %q is shown as %q", line, c.masked(line))
	}
}
