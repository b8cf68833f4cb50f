package e2e

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// scriptedServer is a mail server in the test. It accepts any number of connections, offers only the mechanism
// PLAIN, and answers each login by the script.
type scriptedServer struct {
	listener
	protocol string                        // "imap", "pop3" or "smtp"
	script   func(a account) scriptedReply // must be safe for concurrent use
	mute     atomic.Bool                   // new connections are accepted, but not greeted
}

// scriptedReply is the answer to a login.
type scriptedReply struct {
	line  string        // without IMAP's tag; if it is empty the server closes the connection instead
	delay time.Duration // before the answer
}

func startScripted(tb testing.TB, protocol string, script func(a account) scriptedReply) *scriptedServer {
	tb.Helper()
	s := &scriptedServer{protocol: protocol, script: script}
	s.listener = serve(tb, s.serve)
	return s
}

// toml returns the server's tables. The text verify is added to its verify table.
func (s *scriptedServer) toml(name, verify string) string {
	return fmt.Sprintf("\n[servers.%s]\nhost = \"127.0.0.1\"\n%s = %d\n[servers.%s.verify]\nmechanisms = [\"PLAIN\"]\n%s\n",
		name, s.protocol, s.port, name, verify)
}

// The server's other replies, by protocol.
var (
	scriptedGreeting  = map[string]string{"imap": "* OK ready", "pop3": "+OK ready", "smtp": "220 ready"}
	scriptedChallenge = map[string]string{"imap": "+ ", "pop3": "+ ", "smtp": "334 "}
	scriptedDone      = map[string]string{"imap": "OK done", "pop3": "+OK done", "smtp": "250-scripted\r\n250 AUTH PLAIN"}
)

// serve serves one connection, until the first error.
func (s *scriptedServer) serve(conn net.Conn) {
	defer conn.Close()
	c := textproto.NewConn(conn)
	if s.mute.Load() {
		_, _ = c.R.Peek(1) // until the client closes the connection
		return
	}
	err := c.PrintfLine("%s", scriptedGreeting[s.protocol])
	for err == nil {
		var line, tag string
		if line, err = c.ReadLine(); err != nil {
			return
		}
		if s.protocol == "imap" {
			tag, line, _ = strings.Cut(line, " ")
			tag += " "
		}
		if verb, mechanism, _ := strings.Cut(line, " "); strings.HasPrefix(verb, "AUTH") {
			err = s.logIn(conn, c, tag, mechanism)
			continue
		}
		err = c.PrintfLine("%s%s", tag, scriptedDone[s.protocol])
	}
}

var errScript = errors.New("the script closes the connection")

func (s *scriptedServer) logIn(conn net.Conn, c *textproto.Conn, tag, mechanism string) error {
	_, response, initial := strings.Cut(mechanism, " ")
	if !initial {
		var err error
		if err = c.PrintfLine("%s", scriptedChallenge[s.protocol]); err != nil {
			return err
		}
		if response, err = c.ReadLine(); err != nil {
			return err
		}
	}
	plain, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		return err
	}
	fields := strings.Split(string(plain), "\x00") // RFC 4616
	if len(fields) != 3 {
		return fmt.Errorf("%d fields in the response of PLAIN", len(fields))
	}
	reply := s.script(account{fields[1], fields[2]})
	if err := pause(conn, c, reply.delay); err != nil {
		return err
	}
	if reply.line == "" {
		return errScript
	}
	return c.PrintfLine("%s%s", tag, reply.line)
}

// pause waits for d, or until the client closes the connection, which is an error.
func pause(conn net.Conn, c *textproto.Conn, d time.Duration) error {
	if d == 0 {
		return nil
	}
	if err := conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	if _, err := c.R.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the client did not wait for the answer: %w", err)
	}
	return conn.SetReadDeadline(time.Time{})
}
