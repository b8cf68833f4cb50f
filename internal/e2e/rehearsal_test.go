package e2e

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	rehearsedLogins   = 200
	rehearsingClients = 4
)

// The users of an old site, by what becomes of their logins.
var (
	dave    = account{"dave@evildomain1.com", mark + "-dave"}         // a look-alike of domain1.com
	erin    = account{"erin@mail.domain1.com", mark + "-erin"}        // a subdomain
	frank   = account{"frank@domain02.com", mark + " with & in 100%"} // characters that auth.php quotes
	chloe   = account{"chloe@domain003.com", mark + "-chloe"}         //
	quentin = account{"quentin@domain1.com", mark + `"quote`}         // characters that auth.php does not quote
	gina    = account{"gina@domain02.com", mark + "$HOME"}            //
	zoe     = account{"zoe@domain02.com", mark + "-zoe"}              // does not exist
	ann     = account{"ann@example.net", mark + "-ann"}               // of a domain that is not ours
)

// rehearsed is one kind of login, and how it ends for the mail client.
type rehearsed struct {
	kind     string
	account  account
	old, now bool // whether the client gets into its mailbox
}

var rehearsal = []rehearsed{
	{"good", bob, true, true},
	{"good", alice, true, true},
	{"good", chloe, true, true},
	{"good", frank, true, true},
	{"wrong", account{bob.user, mark + "-wrong"}, false, false},
	{"wrong", account{alice.user, mark + "-wrong"}, false, false},
	{"wrong", zoe, false, false},
	{"unknown domain", ann, false, false},
	{"look-alike", dave, true, false},
	{"subdomain", erin, true, false},
	{"quoting", quentin, false, true},
	{"quoting", gina, false, true},
}

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

// TestRehearsal makes the logins of an old site by auth.php.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	o := startOldSite(t, []account{bob, dave, erin, quentin}, []account{alice, chloe, frank, gina})
	o.rehearse(t, "by auth.php", func(r rehearsed, l login) bool {
		// auth.php took Dovecot's refusal in IMAP for success, and the password was right.
		return r.old || r.kind == "quoting" && l.protocol == "imap"
	})
}

// rehearse makes the logins, and compares how they end.
func (o *oldSite) rehearse(t *testing.T, when string, want func(rehearsed, login) bool) {
	t.Helper()
	next := make(chan int)
	var clients sync.WaitGroup
	for range rehearsingClients {
		clients.Go(func() {
			for i := range next {
				r, l := rehearsal[i%len(rehearsal)], logins[i/len(rehearsal)%len(logins)]
				got, err := o.logIn(l, r.account)
				if err != nil || got != want(r, l) {
					t.Errorf("%s: %s of %s by %s: %t, %v; want %t", when, r.kind, r.account.user, l.protocol, got, err, want(r, l))
				}
			}
		})
	}
	for i := range rehearsedLogins {
		next <- i
	}
	close(next)
	clients.Wait()
}
