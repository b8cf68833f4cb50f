package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// Limits of one dialogue.
const (
	MaxLine  = 8192
	MaxLines = 100
)

// Conn is one connection to a mail server, ready for one login. It is not for several
// goroutines at a time.
type Conn struct {
	server  Server
	dialect dialect
	raw     *socket  // what deadlines are set on
	net     net.Conn // raw, or TLS over it
	r       *bufio.Reader
	lines   int // read so far
	tags    int // IMAP's, used so far
	trace   func(line string)

	stamp      string // the greeting's, for APOP
	inClear    capabilities
	caps       capabilities // those that count: after TLS, if there is TLS
	mechanisms []*mechanism // to log in by: the first that the server knows
	report     Report

	used   bool // for a login
	begun  bool // its first command was sent
	sent   bool // a part of the login, if only the user name
	polite bool // the server waits for a command, and may be told goodbye

	// secrets are the password and what proved it: a server may echo them, and
	// all that is told of the dialogue hides them.
	secrets []string
	mask    *strings.Replacer // of the secrets; nil until it is needed
}

// newConn wraps a connection that nothing has been said on.
func newConn(s Server, nc net.Conn) *Conn {
	c := &Conn{server: s, dialect: dialects[s.Protocol], raw: &socket{Conn: nc}, trace: s.Trace}
	c.use(c.raw)
	return c
}

// use makes nc what lines are read from and written to.
func (c *Conn) use(nc net.Conn) { c.net, c.r = nc, bufio.NewReaderSize(nc, MaxLine) }

// tell shows a line of the client or the server to Trace.
func (c *Conn) tell(who, line string) {
	if c.trace != nil {
		c.trace(who + c.masked(line))
	}
}

// readLine returns the server's next line without its line end.
func (c *Conn) readLine() (string, error) {
	if c.lines == MaxLines {
		return "", fmt.Errorf("server sent more than %d lines", MaxLines)
	}
	b, err := c.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("server sent a line of more than %d bytes", MaxLine)
	case errors.Is(err, io.EOF):
		return "", errClosed
	case err != nil:
		return "", err
	}
	c.lines++
	line := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	c.tell("S: ", line)
	return line, nil
}

// writeLine sends one command, which holds nothing of the login.
func (c *Conn) writeLine(line string) error { return c.write(line, line) }

// writeLogin sends a line that holds a part of the login. The trace has it as shown.
func (c *Conn) writeLogin(line, shown string) error {
	c.sent = true // also if only some bytes are sent
	return c.write(line, shown)
}

func (c *Conn) write(line, shown string) error {
	c.tell("C: ", shown)
	_, err := io.WriteString(c.net, line+"\r\n")
	return err
}

// writeSecret sends a line that ends in a credential. What the server has said by then
// it said before it could know the password: that is no answer to it.
func (c *Conn) writeSecret(shown, secret string) error {
	if c.pending() {
		return errors.New("server spoke before the response was sent")
	}
	return c.writeLogin(shown+secret, shown+"***")
}

// pending reports whether the server has said something that was not read, or is gone.
func (c *Conn) pending() bool {
	c.raw.nowait = true
	defer func() { c.raw.nowait = false }()
	_, err := c.r.Peek(1)
	return !errors.Is(err, errNothing)
}

// Usable reports whether a connection that was kept for a while can still be used: it is
// open, and the server has not said anything, such as that it has waited for too long.
func (c *Conn) Usable() bool { return c.polite && !c.used && !c.pending() }

// Close ends the dialogue, politely where the server can be told so. What was decided
// stands, so nobody waits for an answer, and an error changes nothing.
func (c *Conn) Close() {
	defer c.raw.Close()
	if !c.polite {
		return
	}
	c.polite = false
	_ = c.raw.SetDeadline(time.Now().Add(goodbyeTimeout))
	if c.writeLine(c.dialect.goodbye(c)) == nil {
		_ = c.net.Close()
	}
}

// goodbyeTimeout bounds the writing of a few bytes, which a peer that has stopped
// reading could block.
const goodbyeTimeout = time.Second

// unexpected is the error for what is no answer to the login.
func (c *Conn) unexpected(step, line string) error {
	return fmt.Errorf("%s: server said %q", step, c.masked(line))
}

// conclude ends a login that the server has answered with line.
func (c *Conn) conclude(line string, v verdict) (reply string, err error) {
	c.polite = true
	switch v {
	case accepted:
		return c.masked(line), nil
	case refused:
		return "", fmt.Errorf("%w: server said %q", ErrRejected, c.masked(line))
	}
	return "", c.unexpected("authentication", line)
}

// hasWord reports whether line begins with word, in any case, and word ends there.
func hasWord(line, word string) bool {
	if len(line) < len(word) || !strings.EqualFold(line[:len(word)], word) {
		return false
	}
	return len(line) == len(word) || line[len(word)] == ' '
}

// hasCode reports whether text begins with one of the response codes, such as "[INUSE",
// with or without arguments.
func hasCode(text string, codes ...string) bool {
	text, _, _ = strings.Cut(strings.TrimLeft(text, " "), "]")
	return slices.ContainsFunc(codes, func(code string) bool { return hasWord(text, code) })
}
