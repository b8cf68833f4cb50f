package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"
)

// turn is a line of the client (hears) and the answer of the server (says). The turn "tls" is a TLS
// handshake.
type turn struct{ hears, stage, says string }

// dialogue has a good login for each route: a protocol and a TLS mode.
var dialogue = map[string][]turn{
	"pop3": {
		{"", "greeting", "+OK POP3 server on mail.example.com ready <1896.697170952@mail.example.com>\r\n"},
		{"AUTH CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "+OK logged in\r\n"},
	},
	"pop3 starttls": {
		{"", "greeting", "+OK POP3 ready\r\n"},
		{"CAPA", "ask", "+OK\r\nTOP\r\nSTLS\r\n.\r\n"},
		{"STLS", "starttls", "+OK begin\r\n"},
		{"", "tls", ""},
		{"CAPA", "ask again", "+OK\r\nSASL PLAIN CRAM-MD5\r\nUSER\r\n.\r\n"},
		{"AUTH CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "+OK logged in\r\n"},
	},
	"pop3 implicit": {
		{"", "tls", ""},
		{"", "greeting", "+OK POP3 ready\r\n"},
		{"CAPA", "ask", "+OK\r\nSASL PLAIN CRAM-MD5\r\n.\r\n"},
		{"AUTH CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "+OK logged in\r\n"},
	},
	"imap": {
		{"", "greeting", "* OK Axigen-10.3 IMAP4rev1 service is ready\r\n"},
		{"001 AUTHENTICATE CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "001 OK AUTHENTICATE completed\r\n"},
	},
	"imap starttls": {
		{"", "greeting", "* OK IMAP4rev1 ready\r\n"},
		{"001 CAPABILITY", "ask", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n001 OK done\r\n"},
		{"002 STARTTLS", "starttls", "002 OK begin\r\n"},
		{"", "tls", ""},
		{"003 CAPABILITY", "ask again", "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=CRAM-MD5\r\n003 OK done\r\n"},
		{"004 AUTHENTICATE CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "004 OK AUTHENTICATE completed\r\n"},
	},
	"imap implicit": {
		{"", "tls", ""},
		{"", "greeting", "* OK IMAP4rev1 ready\r\n"},
		{"001 CAPABILITY", "ask", "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=CRAM-MD5\r\n001 OK done\r\n"},
		{"002 AUTHENTICATE CRAM-MD5", "auth", "+ " + challenge + "\r\n"},
		{answer, "answer", "002 OK AUTHENTICATE completed\r\n"},
	},
	"smtp": {
		{"", "greeting", "220 mail.example.com Axigen ESMTP ready\r\n"},
		{"EHLO [127.0.0.1]", "ehlo", "250-mail.example.com Axigen ESMTP hello\r\n250-PIPELINING\r\n250-AUTH PLAIN LOGIN CRAM-MD5\r\n250 HELP\r\n"},
		{"AUTH CRAM-MD5", "auth", "334 " + challenge + "\r\n"},
		{answer, "answer", "235 2.7.0 Authentication successful\r\n"},
	},
	"smtp starttls": {
		{"", "greeting", "220 mail.example.com ready\r\n"},
		{"EHLO [127.0.0.1]", "ask", "250-mail.example.com hello\r\n250 STARTTLS\r\n"},
		{"STARTTLS", "starttls", "220 2.0.0 begin\r\n"},
		{"", "tls", ""},
		{"EHLO [127.0.0.1]", "ask again", "250-mail.example.com hello\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"},
		{"AUTH CRAM-MD5", "auth", "334 " + challenge + "\r\n"},
		{answer, "answer", "235 2.7.0 Authentication successful\r\n"},
	},
	"smtp implicit": {
		{"", "tls", ""},
		{"", "greeting", "220 mail.example.com ready\r\n"},
		{"EHLO [127.0.0.1]", "ask", "250-mail.example.com hello\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"},
		{"AUTH CRAM-MD5", "auth", "334 " + challenge + "\r\n"},
		{answer, "answer", "235 2.7.0 Authentication successful\r\n"},
	},
}

// serverOn returns the settings of a server of a route.
func serverOn(route string, timeout time.Duration) Server {
	protocol, mode, _ := strings.Cut(route, " ")
	return Server{Protocol: protocol, ConnectTimeout: timeout, Timeout: timeout, TLS: TLS{Mode: mode, CAs: known().authorities}}
}

// script returns the steps of a good login up to one stage, and then last.
func script(route, stage string, last ...step) []step {
	var steps []step
	for _, turn := range dialogue[route] {
		if turn.hears != "" {
			steps = append(steps, hear(turn.hears))
		}
		if turn.stage == "tls" {
			steps = append(steps, await)
		}
		switch {
		case turn.stage == stage:
			return append(steps, last...)
		case turn.stage == "tls":
			steps = append(steps, handshake(known().cert))
		default:
			steps = append(steps, say(turn.says))
		}
	}
	panic("no stage " + stage)
}

// half returns the incomplete text of a turn: a line without its end, or a part of a TLS record.
func (t turn) half() string {
	if t.stage == "tls" {
		return "\x16\x03\x03\x3f\xff\x02"
	}
	return t.says[:len(t.says)-2]
}

// identity is a certificate and the CAs that have signed it.
type identity struct {
	cert        tls.Certificate
	authorities *x509.CertPool
}

// known is the certificate of the server at 127.0.0.1. The others are wrong there.
var (
	known   = sync.OnceValue(func() identity { return newIdentity(func(*x509.Certificate) {}) })
	expired = sync.OnceValue(func() identity {
		return newIdentity(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) })
	})
	elsewhere = sync.OnceValue(func() identity {
		return newIdentity(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"mail.example.com"} })
	})
)

// newIdentity makes a self-signed certificate.
func newIdentity(change func(*x509.Certificate)) identity {
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	change(cert)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	id := identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, x509.NewCertPool()}
	id.authorities.AddCert(leaf)
	return id
}
