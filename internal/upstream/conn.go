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

// Conn is one connection to a mail server, ready for one login. It is not safe for concurrent
// use.
type Conn struct {
	server  Server
	dialect dialect
	raw     *socket  // has the deadlines
	net     net.Conn // raw, or TLS over it
	r       *bufio.Reader
	lines   int // read so far
	tags    int // of IMAP, used so far
	trace   func(line string)

	stamp      string // of the greeting, for APOP
	inClear    capabilities
	caps       capabilities // after TLS, if there is TLS
	mechanisms []*mechanism // to try in this order
	report     Report

	used          bool // by a login
	begun         bool // its first command was sent
	sent          bool // a part of the login, if only the user name
	awaitsCommand bool // the server waits for a command, so Close may say goodbye

	// secrets are the password and its proofs. A server may echo them, so they are hidden
	// in everything that is shown of the dialogue.
	secrets []string
	mask    *strings.Replacer // of the secrets; nil until it is needed
}

// newConn wraps a connection on which nothing was sent or received.
func newConn(s Server, nc net.Conn) *Conn {
	c := &Conn{server: s, dialect: dialects[s.Protocol], raw: &socket{Conn: nc}, trace: s.Trace}
	c.use(c.raw)
	return c
}

// use reads and writes lines on nc from now on.
func (c *Conn) use(nc net.Conn) { c.net, c.r = nc, bufio.NewReaderSize(nc, MaxLine) }

// traceLine calls Trace with a line of the client ("C: ") or the server ("S: ").
func (c *Conn) traceLine(prefix, line string) {
	if c.trace != nil {
		c.trace(prefix + c.masked(line))
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
	c.traceLine("S: ", line)
	return line, nil
}

// writeLine sends a command that contains no part of the login.
func (c *Conn) writeLine(line string) error { return c.write(line, line) }

// writeLogin sends a line that contains a part of the login. The trace shows shown instead.
func (c *Conn) writeLogin(line, shown string) error {
	c.sent = true // also if only some bytes are sent
	return c.write(line, shown)
}

func (c *Conn) write(line, shown string) error {
	c.traceLine("C: ", shown)
	_, err := io.WriteString(c.net, line+"\r\n")
	return err
}

// writeSecret sends a line that ends in a credential. It is an error if the server has sent
// something before, because that could be taken for the answer to the credential.
func (c *Conn) writeSecret(shown, secret string) error {
	if c.pending() {
		return errors.New("server sent something before it got the response")
	}
	return c.writeLogin(shown+secret, shown+"***")
}

// pending reports whether the server has sent something that was not read, or has closed the
// connection.
func (c *Conn) pending() bool {
	c.raw.nowait = true
	defer func() { c.raw.nowait = false }()
	_, err := c.r.Peek(1)
	return !errors.Is(err, errNothing)
}

// Usable reports whether a connection that was kept for a while can still be used. It is not
// if the server has closed it, or has sent anything, such as an idle timeout.
func (c *Conn) Usable() bool { return c.awaitsCommand && !c.used && !c.pending() }

// Close ends the dialogue, with the protocol's goodbye if the server waits for a command. It
// does not wait for an answer, and errors are ignored, because the login is decided.
func (c *Conn) Close() {
	defer c.raw.Close()
	if !c.awaitsCommand {
		return
	}
	c.awaitsCommand = false
	_ = c.raw.SetDeadline(time.Now().Add(goodbyeTimeout))
	if c.writeLine(c.dialect.goodbye(c)) == nil {
		_ = c.net.Close()
	}
}

// goodbyeTimeout is how long writing the goodbye may take: a server that has stopped reading
// could block it.
const goodbyeTimeout = time.Second

// unexpected returns the error for a line that does not decide the login.
func (c *Conn) unexpected(step, line string) error {
	return fmt.Errorf("%s: server said %q", step, c.masked(line))
}

// conclude ends a login that the server has answered with line.
func (c *Conn) conclude(line string, v verdict) (reply string, err error) {
	c.awaitsCommand = true
	switch v {
	case accepted:
		return c.masked(line), nil
	case refused:
		return "", fmt.Errorf("%w: server said %q", ErrRejected, c.masked(line))
	}
	return "", c.unexpected("authentication", line)
}

// hasWord reports whether the first word of line is word, in any case.
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
