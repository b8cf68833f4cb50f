package e2e

import (
	"net"
	"net/textproto"
	"strings"
	"testing"
)

// slowServer is an IMAP server that accepts any password, but waits until the test releases it.
type slowServer struct {
	port    int
	reached chan struct{} // gets one value for each login that waits
	release chan struct{} // closed by the test: the logins that wait go on
}

func startSlowServer(tb testing.TB) *slowServer {
	tb.Helper()
	s := &slowServer{reached: make(chan struct{}, 1), release: make(chan struct{})}
	s.port = serve(tb, s.serve).port
	return s
}

// serve serves one connection, until the first error.
func (s *slowServer) serve(conn net.Conn) {
	c := textproto.NewConn(conn)
	defer c.Close()
	err := c.PrintfLine("* OK slow server")
	for err == nil {
		var line string
		if line, err = c.ReadLine(); err != nil {
			return
		}
		tag, command, _ := strings.Cut(line, " ")
		switch {
		case strings.EqualFold(command, "AUTHENTICATE CRAM-MD5"):
			err = s.authenticate(c, tag)
		case strings.EqualFold(command, "CAPABILITY"):
			err = c.PrintfLine("* CAPABILITY IMAP4rev1 AUTH=CRAM-MD5\r\n%s OK done", tag)
		default:
			err = c.PrintfLine("%s OK done", tag)
		}
	}
}

func (s *slowServer) authenticate(c *textproto.Conn, tag string) error {
	const challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+" // RFC 2195
	if err := c.PrintfLine("+ %s", challenge); err != nil {
		return err
	}
	if _, err := c.ReadLine(); err != nil {
		return err
	}
	s.reached <- struct{}{}
	<-s.release
	return c.PrintfLine("%s OK AUTHENTICATE completed", tag)
}
