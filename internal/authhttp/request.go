package authhttp

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Limits on what a client may send, in bytes after unescaping.
const (
	MaxUser     = 512
	MaxPassword = 1024
)

// Method says how the client proves who it is: the Auth-Method header.
type Method string

// The methods that nginx sends; the last two only from newer forks.
const (
	Plain       Method = "plain" // also LOGIN, POP3 USER/PASS and IMAP LOGIN
	APOP        Method = "apop"
	CRAMMD5     Method = "cram-md5"
	External    Method = "external" // by client certificate
	None        Method = "none"     // SMTP without a login
	XOAuth2     Method = "xoauth2"
	OAuthBearer Method = "oauthbearer"
)

// Protocol is the client's mail protocol: the Auth-Protocol header.
type Protocol string

// The protocols of nginx's mail proxy.
const (
	IMAP Protocol = "imap"
	POP3 Protocol = "pop3"
	SMTP Protocol = "smtp"
)

// Request is one question of nginx. Strings hold bytes as the client sent
// them, which need not be UTF-8.
type Request struct {
	Method   Method
	User     string // unescaped; empty with None
	Password string // unescaped; with APOP and CRAMMD5 a digest in hex; empty with None
	Salt     string // the challenge, with APOP and CRAMMD5
	Protocol Protocol
	Attempt  int // 1, 2, … within one connection; 0 if nginx did not say

	ClientIP   string // as sent
	ClientHost string // a PTR name, "[UNAVAILABLE]" or "[TEMPUNAVAIL]": never to be trusted
	ProxyAddr  string // Proxy-Protocol-Addr

	Helo, From, To string // with None: EHLO's argument and the whole MAIL and RCPT commands

	SSL  string // "on" when the client came by TLS
	Cert Certificate
}

// Certificate is what nginx tells of a client certificate.
type Certificate struct {
	Verify      string // "SUCCESS", "FAILED:reason", "NONE", or empty without client certificates
	Subject     string
	Issuer      string
	Serial      string
	Fingerprint string // SHA-1 in hex
	PEM         string // unescaped
}

// ReadRequest reads nginx's headers. The request is returned with an error too,
// as far as it could be read, so that it can be logged; nothing but a log may use it.
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

// checkOnce refuses a repeated header: whoever put a second Auth-User into a
// request must not choose which of the two is checked and which is used. Over FastCGI the
// guard of package listen does so: net/http/fcgi would keep the last one.
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
	return checkCredential("password", r.Password, MaxPassword)
}

// CheckUser says why a user name from elsewhere than Auth-User cannot be one.
func CheckUser(name string) error { return checkCredential("user name", name, MaxUser) }

// checkCredential never says the value: it may be a password.
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

// clip keeps an oversized value from being unescaped as a whole, yet long enough
// to be found too long.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
