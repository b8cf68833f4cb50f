package e2e

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"time"
)

// login is one way for a mail client to log in.
type login struct {
	protocol string
	lines    func(a account) []string // what the client says
}

var logins = []login{
	{"imap", func(a account) []string {
		return []string{"a LOGIN " + imapQuoted(a.user) + " " + imapQuoted(a.password)}
	}},
	{"imap", func(a account) []string { return []string{"a AUTHENTICATE PLAIN", saslPlain(a)} }},
	{"pop3", func(a account) []string { return []string{"USER " + a.user, "PASS " + a.password} }},
	{"pop3", func(a account) []string { return []string{"AUTH PLAIN", saslPlain(a)} }},
	{"smtp", func(a account) []string { return []string{"EHLO client.example", "AUTH PLAIN " + saslPlain(a)} }},
	{"smtp", func(a account) []string {
		return []string{"EHLO client.example", "AUTH LOGIN", inBase64(a.user), inBase64(a.password)}
	}},
}

func inBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func saslPlain(a account) string { return inBase64("\x00" + a.user + "\x00" + a.password) }

func imapQuoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// logIn reports whether a client of nginx's mail proxy gets into its mailbox.
func (o *oldSite) logIn(l login, a account) (bool, error) {
	port := map[string]int{"imap": o.imap, "pop3": o.pop3, "smtp": o.site.smtp}[l.protocol]
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: clientTimeout}, "tcp", loopback(port), o.trust)
	if err != nil {
		return false, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		return false, err
	}
	in := bufio.NewReader(c)
	said, err := lastLine(in, l.protocol)
	for _, line := range l.lines(a) {
		if err != nil || refused(said) {
			return false, err
		}
		if _, err = fmt.Fprintf(c, "%s\r\n", line); err == nil {
			said, err = lastLine(in, l.protocol)
		}
	}
	return !refused(said), err
}

// refused reports whether a line of the server is a refusal.
func refused(line string) bool {
	for _, prefix := range []string{"a NO", "a BAD", "-ERR", "4", "5"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}

// lastLine reads an answer of the server and returns its last line.
func lastLine(in *bufio.Reader, protocol string) (string, error) {
	for {
		line, err := in.ReadString('\n')
		more := protocol == "smtp" && len(line) > 3 && line[3] == '-' || protocol == "imap" && strings.HasPrefix(line, "* CAPABILITY")
		if err != nil || !more {
			return line, err
		}
	}
}
