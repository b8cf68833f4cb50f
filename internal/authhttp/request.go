package authhttp

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// The largest lengths of what a client may send, in bytes after unescaping.
const (
	MaxUser     = 512
	MaxPassword = 1024
)

// Method is the authentication method that the client used: the Auth-Method header.
type Method string

// The methods that nginx sends. XOAuth2 and OAuthBearer come from freenginx only.
const (
	Plain       Method = "plain" // also LOGIN, POP3 USER/PASS and IMAP LOGIN
	APOP        Method = "apop"
	CRAMMD5     Method = "cram-md5"
	External    Method = "external" // a client certificate
	None        Method = "none"     // SMTP without a login
	XOAuth2     Method = "xoauth2"
	OAuthBearer Method = "oauthbearer"
)

// Protocol is the mail protocol that the client speaks: the Auth-Protocol header.
type Protocol string

// The protocols of nginx's mail proxy.
const (
	IMAP Protocol = "imap"
	POP3 Protocol = "pop3"
	SMTP Protocol = "smtp"
)

// Request is one request of nginx. Its strings hold the bytes that the client sent,
// which need not be UTF-8.
type Request struct {
	Method   Method
	User     string // unescaped; always empty with None
	Password string // unescaped; with APOP and CRAMMD5 a digest in hex; always empty with None
	Salt     string // the challenge that the client answered, with APOP and CRAMMD5
	Protocol Protocol
	Attempt  int // 1, 2, … within one connection; 0 if nginx sent no valid number

	ClientIP   string // Client-IP as nginx sent it
	ClientHost string // a PTR name, "[UNAVAILABLE]" or "[TEMPUNAVAIL]"; do not trust it
	ProxyAddr  string // Proxy-Protocol-Addr, the address in a PROXY protocol header

	Helo, From, To string // with None: the argument of EHLO and the whole MAIL and RCPT commands

	SSL  string // "on" if the client used TLS
	Cert Certificate
}

// Certificate is what nginx reports about a client certificate.
type Certificate struct {
	Verify      string // "SUCCESS", "FAILED:reason", "NONE", or empty without client certificates
	Subject     string
	Issuer      string
	Serial      string
	Fingerprint string // SHA-1 in hex
	PEM         string // unescaped
}

// ReadRequest reads nginx's headers. With an error it still returns what could be read,
// but only for a log: such a request must not be used for a decision. Errors never
// contain a value.
func ReadRequest(h http.Header) (Request, error) {
	r := Request{
		Method:     Method(h.Get("Auth-Method")),
		Protocol:   Protocol(h.Get("Auth-Protocol")),
		Salt:       h.Get("Auth-Salt"),
		ClientIP:   h.Get("Client-Ip"),
		ClientHost: h.Get("Client-Host"),
		ProxyAddr:  h.Get("Proxy-Protocol-Addr"),
		Helo:       h.Get("Auth-Smtp-Helo"),
		From:       h.Get("Auth-Smtp-From"),
		To:         h.Get("Auth-Smtp-To"),
		SSL:        h.Get("Auth-Ssl"),
		Cert:       readCertificate(h),
	}
	r.Attempt, _ = strconv.Atoi(h.Get("Auth-Login-Attempt"))
	if r.Method != None { // nginx before 1.29.1 sends a stale user and password with none
		r.User = Unescape(clip(h.Get("Auth-User"), 3*MaxUser+1))
		r.Password = Unescape(clip(h.Get("Auth-Pass"), 3*MaxPassword+1))
	}
	if err := checkOnce(h); err != nil {
		return r, err
	}
	return r, r.check()
}

func readCertificate(h http.Header) Certificate {
	c := Certificate{
		Verify:      h.Get("Auth-Ssl-Verify"),
		Subject:     h.Get("Auth-Ssl-Subject"),
		Issuer:      h.Get("Auth-Ssl-Issuer"),
		Serial:      h.Get("Auth-Ssl-Serial"),
		Fingerprint: h.Get("Auth-Ssl-Fingerprint"),
	}
	c.PEM = Unescape(h.Get("Auth-Ssl-Cert"))
	return c
}

// checkOnce refuses a repeated header. Otherwise an attacker who can add a second Auth-User
// could have one of the two checked and the other one used. Over FastCGI the guard of package
// listen refuses repeated headers, because net/http/fcgi would keep only the last one.
func checkOnce(h http.Header) error {
	for name, values := range h {
		if len(values) > 1 && (strings.HasPrefix(name, "Auth-") || name == "Client-Ip" || name == "Proxy-Protocol-Addr") {
			return fmt.Errorf("header %s more than once", name)
		}
	}
	return nil
}

func (r *Request) check() error {
	switch r.Method {
	case Plain, APOP, CRAMMD5, External, None, XOAuth2, OAuthBearer:
	case "":
		return errors.New("no Auth-Method header")
	default:
		return errors.New("unknown Auth-Method")
	}
	switch r.Protocol {
	case IMAP, POP3, SMTP:
	case "":
		return errors.New("no Auth-Protocol header")
	default:
		return errors.New("unknown Auth-Protocol")
	}
	if err := CheckUser(r.User); err != nil {
		return err
	}
	return CheckPassword(r.Password)
}

// CheckUser returns an error if name is not a valid user name. ReadRequest checks Auth-User in
// the same way.
func CheckUser(name string) error { return checkCredential("user name", name, MaxUser) }

// CheckPassword returns an error if no client can send the password. The error does not contain it.
func CheckPassword(password string) error { return checkCredential("password", password, MaxPassword) }

// checkCredential never puts the value into an error, because it may be a password.
func checkCredential(what, value string, limit int) error {
	if len(value) > limit {
		return fmt.Errorf("%s longer than %d bytes", what, limit)
	}
	if i := strings.IndexAny(value, "\x00\r\n"); i >= 0 {
		return fmt.Errorf("%s holds a %s", what, controlName(value[i]))
	}
	return nil
}

func controlName(b byte) string {
	switch b {
	case '\r':
		return "CR"
	case '\n':
		return "LF"
	}
	return "NUL"
}

// clip returns at most the first n bytes of s. So an oversized value is not unescaped as a
// whole, but is still found to be over its limit.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
