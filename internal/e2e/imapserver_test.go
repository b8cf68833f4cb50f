package e2e

import (
	"net"
	"net/textproto"
	"strings"
	"testing"
)

// startIMAPServer starts an IMAP server that accepts any password: by AUTHENTICATE CRAM-MD5, which mailauthd uses,
// and by LOGIN with literals, which nginx uses. It returns the port.
func startIMAPServer(tb testing.TB) int {
	tb.Helper()
	return serve(tb, serveIMAP).port
}

// serveIMAP serves one connection, until the first error.
func serveIMAP(conn net.Conn) {
	c := textproto.NewConn(conn)
	defer c.Close()
	err := c.PrintfLine("* OK ready")
	for err == nil {
		var line string
		if line, err = c.ReadLine(); err != nil {
			return
		}
		tag, command, _ := strings.Cut(line, " ")
		name, _, _ := strings.Cut(strings.ToUpper(command), " ")
		switch name {
		case "CAPABILITY":
			err = c.PrintfLine("* CAPABILITY IMAP4rev1 AUTH=CRAM-MD5")
		case "AUTHENTICATE":
			if err = c.PrintfLine("+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"); err == nil { // RFC 2195
				_, err = c.ReadLine()
			}
		case "LOGIN":
			err = readLiterals(c, line)
		}
		if err == nil {
			err = c.PrintfLine("%s OK done", tag)
		}
	}
}

// readLiterals reads the rest of a command that goes on after each "{LENGTH}" (RFC 3501, section 4.3).
// No literal here has a line of its own that ends so.
func readLiterals(c *textproto.Conn, line string) error {
	for strings.HasSuffix(line, "}") {
		if err := c.PrintfLine("+ go on"); err != nil {
			return err
		}
		var err error
		if line, err = c.ReadLine(); err != nil {
			return err
		}
	}
	return nil
}
