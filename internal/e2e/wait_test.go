package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// TestAuthWait checks that nginx delays a refusal by Auth-Wait, and that the client may try again in the same
// connection.
func TestAuthWait(t *testing.T) {
	t.Parallel()
	const wait = time.Second
	d := deploy(t, webServers[0], []account{bob}, domainTOML("domain1.com", "users")+userTOML(bob.user, "{PLAIN}"+bob.password)+
		"\n[throttle]\nauth_wait = true\npenalty = \"1s\"\nmax_penalty = \"1s\"\n")
	c := dialIMAP(t, d.site)
	begin := time.Now()
	wantIMAP(t, c, "a login "+bob.user+" "+alice.password, "a NO ")
	if took := time.Since(begin); took < wait {
		t.Errorf("the refusal came after %v, want %v", took, wait)
	}
	wantIMAP(t, c, "b login "+bob.user+" "+bob.password, "b OK ")
}

// dialIMAP connects to nginx, and reads its greeting.
func dialIMAP(t *testing.T, s site) *textproto.Conn {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(readFile(t, s.ca.file)))
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: clientTimeout}, "tcp", loopback(s.imap), &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		t.Fatal(err)
	}
	c := textproto.NewConn(conn)
	if line, err := c.ReadLine(); err != nil || !strings.HasPrefix(line, "* OK") {
		t.Fatalf("greeting %q, %v", line, err)
	}
	return c
}

// wantIMAP sends a line, and checks the beginning of the next line that is not an untagged response.
func wantIMAP(t *testing.T, c *textproto.Conn, command, want string) {
	t.Helper()
	if err := c.PrintfLine("%s", command); err != nil {
		t.Fatal(err)
	}
	for {
		line, err := c.ReadLine()
		if err != nil {
			t.Fatalf("want %q: %v", want, err)
		}
		if strings.HasPrefix(line, "* ") {
			continue
		}
		if !strings.HasPrefix(line, want) {
			t.Fatalf("%q, want %q", line, want)
		}
		return
	}
}
