package main

import (
	"crypto/md5"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/upstream"
)

// headerLine is a header of a request.
type headerLine struct{ name, value string }

// addHeader takes a header that is to be sent too.
func (a *asked) addHeader(line string) error {
	name, value, found := strings.Cut(line, ":")
	if !found || name == "" || strings.ContainsAny(name, " \t\r\n\x00") {
		return errors.New(`want NAME: VALUE, such as "X-Auth-Port: 993"`)
	}
	a.more = append(a.more, headerLine{name, strings.TrimSpace(value)})
	return nil
}

// check returns an error for what nginx would not send.
func (a *asked) check() error {
	if !slices.Contains([]string{"imap", "pop3", "smtp"}, a.protocol) {
		return usageError("-protocol: want imap, pop3 or smtp")
	}
	for _, line := range append([]headerLine{{"-method", a.method}, {"-client-ip", a.clientIP}}, a.more...) {
		if strings.ContainsAny(line.value, "\r\n\x00") {
			return usageError(line.name + ": has a CR, LF or NUL, which nginx does not send")
		}
	}
	return nil
}

// request returns nginx's headers in nginx's order (ngx_mail_auth_http_create_request).
func (a *asked) request(user, password string) []headerLine {
	lines := []headerLine{
		{"Auth-Method", a.method},
		{"Auth-User", escape(user)},
		{"Auth-Pass", escape(proof(a.method, password))},
	}
	if authhttp.Method(a.method) != authhttp.Plain {
		lines = append(lines, headerLine{"Auth-Salt", challenge})
	}
	lines = append(lines,
		headerLine{"Auth-Protocol", a.protocol},
		headerLine{"Auth-Login-Attempt", "1"},
		headerLine{"Client-IP", a.clientIP})
	return append(lines, a.more...)
}

// challenge is one as nginx makes them for APOP and CRAM-MD5.
const challenge = "<1.1@test-login>"

// proof is what nginx sends as Auth-Pass when a client knows the password.
func proof(method, password string) string {
	switch authhttp.Method(method) {
	case authhttp.CRAMMD5:
		_, digest, _ := strings.Cut(upstream.CRAMMD5("", password, []byte(challenge)), " ")
		return digest
	case authhttp.APOP:
		return fmt.Sprintf("%x", md5.Sum([]byte(challenge+password)))
	}
	return password
}

// escape escapes a value as nginx does (ngx_escape_uri with NGX_ESCAPE_MAIL_AUTH).
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c <= ' ' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
