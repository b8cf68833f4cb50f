package auth

import (
	"strings"
	"testing"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
)

// What a client is told: section 5 of the design, row by row.
func TestWhatTheClientIsTold(t *testing.T) {
	good := ask{user: "alice@users.example", pass: right}
	bad := ask{user: "alice@users.example", pass: wrong}
	nobody := ask{user: "bob@users.example", pass: wrong}
	lost := ask{user: "alice@lost.example", pass: right}
	none := ask{method: "none"} // to a server without an address
	for _, tt := range []struct {
		protocol   string
		codes      bool
		in         ask
		text, code string
	}{
		{"imap", false, good, "OK", ""},
		{"pop3", false, good, "OK", ""},
		{"smtp", false, good, "OK", ""},
		{"imap", true, good, "OK", ""},
		{"pop3", true, good, "OK", ""},
		{"smtp", true, good, "OK", ""},
		{"imap", false, bad, failed, ""},
		{"pop3", false, bad, failed, ""},
		{"smtp", false, bad, failed, ""},
		{"imap", true, bad, "[AUTHENTICATIONFAILED] " + failed, ""},
		{"pop3", true, bad, "[AUTH] " + failed, ""},
		{"smtp", true, bad, failed, "535 5.7.8"},
		{"imap", false, nobody, failed, ""},
		{"pop3", false, nobody, failed, ""},
		{"smtp", false, nobody, failed, ""},
		{"imap", true, nobody, "[AUTHENTICATIONFAILED] " + failed, ""},
		{"pop3", true, nobody, "[AUTH] " + failed, ""},
		{"smtp", true, nobody, failed, "535 5.7.8"},
		{"imap", false, lost, trouble, ""},
		{"pop3", false, lost, trouble, ""},
		{"smtp", false, lost, trouble, "454 4.7.0"},
		{"imap", true, lost, "[UNAVAILABLE] " + trouble, ""},
		{"pop3", true, lost, "[SYS/TEMP] " + trouble, ""},
		{"smtp", true, lost, trouble, "454 4.7.0"},
		{"smtp", false, none, trouble, "451 4.3.0"},
		{"smtp", true, none, trouble, "451 4.3.0"},
	} {
		a := newAuth(t)
		a.ResponseCodes = tt.codes
		tt.in.protocol = tt.protocol
		h := tt.in.header()
		h.Set("Auth-Smtp-To", "RCPT TO:<alice@lost.example>")
		response, event := answer(t, a, h)
		if response.Status() != tt.text || event.Status != tt.text || response.Code != tt.code {
			t.Errorf("%+v, response_codes %v:\ngot  %q %q, in the log %q\nwant %q %q",
				tt.in, tt.codes, response.Status(), response.Code, event.Status, tt.text, tt.code)
		}
	}
}

func TestFailureMessage(t *testing.T) {
	a := newAuth(t)
	a.FailureMessage = "No entry"
	want := refused(box1, authlog.PasswordMismatch, "password does not match the entry in the map")
	want.response.Text = "No entry"
	check(t, a, ask{user: "alice@users.example", pass: wrong}, want)
}

// A response that nginx would misread is not sent.
func TestUnsendableResponse(t *testing.T) {
	long := strings.Repeat("l", authhttp.MaxUser)
	for _, tt := range []struct {
		name    string
		in      ask
		failure string
		want    result
	}{
		{"address with a zone", ask{user: "alice@zone.example", pass: right}, failed,
			troubled("zone [fe80::1%eth0]:143", "server address cannot be sent to nginx")},
		{"user name that begins with a space", ask{user: " space", pass: right}, failed,
			troubled(box1, "Auth-User begins or ends with a space or tab, which is lost on the way to nginx")},
		{"user name too long for nginx", ask{user: long, pass: right}, failed,
			troubled(box1, "response of 604 bytes: nginx has room for 600")},
		{"no failure message", ask{user: "bob", pass: wrong}, "",
			troubled(box1, "empty failure text")},
		{"failure message that means success", ask{user: "bob", pass: wrong}, "OK",
			troubled(box1, `failure text "OK" has another meaning to nginx: choose another text`)},
		{"failure message of two lines", ask{user: "bob", pass: wrong}, "no\r\nAuth-Status: OK",
			troubled(box1, "holds CR, LF or NUL, which cannot be sent to nginx")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newAuth(t)
			a.DefaultDomain = "xn--bcher-kva.example"
			a.FailureMessage = tt.failure
			check(t, a, tt.in, tt.want)
		})
	}
}
