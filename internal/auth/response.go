package auth

import (
	"net/http"

	"mailauthd/internal/authhttp"
)

// tempFailMessage is the text that a client gets on a temporary failure.
const tempFailMessage = "Temporary authentication failure"

// response returns the response for a verdict. With ResponseCodes, a failure has the code that mail programs know:
// RFC 5530 for IMAP, RFC 3206 for POP3, RFC 4954 for SMTP.
func (a *Authenticator) response(l *login, v verdict) authhttp.Response {
	switch v.outcome {
	case authhttp.OK:
		_, addr := l.destination(v)
		return authhttp.Response{Outcome: authhttp.OK, Server: addr, User: v.user, Password: v.password}
	case authhttp.Reject:
		if v.text != "" {
			return authhttp.Response{Outcome: authhttp.Reject, Text: v.text, Code: v.code}
		}
		return a.failure(l, v, a.FailureMessage, "[AUTHENTICATIONFAILED] ", "[AUTH] ")
	}
	return a.failure(l, v, tempFailMessage, "[UNAVAILABLE] ", "[SYS/TEMP] ")
}

// Unavailable returns the temporary failure for a request that no Authenticator could answer.
func Unavailable(h http.Header) authhttp.Response {
	r, _ := authhttp.ReadRequest(h)
	return new(Authenticator).response(&login{Request: r}, verdict{})
}

func (a *Authenticator) failure(l *login, v verdict, text, imap, pop3 string) authhttp.Response {
	r := authhttp.Response{Outcome: v.outcome, Text: text, Wait: a.authWait(l, v)}
	switch l.Protocol {
	case authhttp.SMTP:
		r.Code = a.smtpCode(l, v)
	case authhttp.IMAP:
		if a.ResponseCodes {
			r.Text = imap + text
		}
	case authhttp.POP3:
		if a.ResponseCodes {
			r.Text = pop3 + text
		}
	}
	return r
}

// smtpCode returns the reply code. It is empty for nginx's own "535 5.7.0". A temporary failure always has one, because
// 535 would make mail programs ask for the password again.
func (a *Authenticator) smtpCode(l *login, v verdict) string {
	switch {
	case v.outcome == authhttp.TempFail && l.Method == authhttp.None:
		return "451 4.3.0"
	case v.outcome == authhttp.TempFail:
		return "454 4.7.0"
	case a.ResponseCodes:
		return "535 5.7.8"
	}
	return ""
}
