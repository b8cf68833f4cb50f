package e2e

import (
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// sink is an SMTP server that keeps the messages that it gets. It has only the commands that Dovecot's submission
// server sends to its relay.
type sink struct {
	port int

	mu       sync.Mutex
	messages []string
}

func startSink(tb testing.TB) *sink {
	tb.Helper()
	s := new(sink)
	s.port = serve(tb, s.serve).port
	return s
}

// serve serves one connection, until the first error.
func (s *sink) serve(conn net.Conn) {
	c := textproto.NewConn(conn)
	defer c.Close()
	err := c.PrintfLine("220 sink")
	for err == nil {
		var line string
		if line, err = c.ReadLine(); err != nil {
			return
		}
		verb, _, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			err = c.PrintfLine("250-sink\r\n250-8BITMIME\r\n250-SIZE\r\n250 DSN")
		case "DATA":
			err = s.receive(c)
		case "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		default:
			err = c.PrintfLine("250 ok")
		}
	}
}

func (s *sink) receive(c *textproto.Conn) error {
	if err := c.PrintfLine("354 go on"); err != nil {
		return err
	}
	message, err := c.ReadDotBytes()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.messages = append(s.messages, string(message))
	s.mu.Unlock()
	return c.PrintfLine("250 kept")
}

// has reports whether a message with this text has arrived.
func (s *sink) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.messages {
		if strings.Contains(m, text) {
			return true
		}
	}
	return false
}
