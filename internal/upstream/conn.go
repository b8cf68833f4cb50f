package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

// Limits of one dialogue.
const (
	MaxLine  = 8192
	MaxLines = 100
)

// conn is one dialogue's connection: bounded lines in, lines out.
type conn struct {
	net   net.Conn
	r     *bufio.Reader
	lines int // read so far
	trace func(line string)

	// secrets hides the password and what proved it in all that is told of the
	// dialogue: a server may echo them.
	secrets *strings.Replacer
}

func newConn(nc net.Conn, trace func(string)) *conn {
	if trace == nil {
		trace = func(string) {}
	}
	return &conn{net: nc, r: bufio.NewReaderSize(nc, MaxLine), trace: trace, secrets: strings.NewReplacer()}
}

// readLine returns the server's next line without its line end.
func (c *conn) readLine() (string, error) {
	if c.lines++; c.lines > MaxLines {
		return "", fmt.Errorf("server sent more than %d lines", MaxLines)
	}
	b, err := c.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("server sent a line of more than %d bytes", MaxLine)
	case errors.Is(err, io.EOF):
		return "", errors.New("server closed the connection")
	case err != nil:
		return "", err
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	c.trace("S: " + c.secrets.Replace(line))
	return line, nil
}

// writeLine sends one command.
func (c *conn) writeLine(line string) error {
	c.trace("C: " + line)
	_, err := io.WriteString(c.net, line+"\r\n")
	return err
}

// writeSecret sends a credential. What the server is seen to have said by then it said
// before it could know the password: that is no answer to it.
func (c *conn) writeSecret(line string) error {
	if c.r.Buffered() > 0 {
		return errors.New("server spoke before its turn")
	}
	c.trace("C: ***")
	_, err := io.WriteString(c.net, line+"\r\n")
	return err
}

// bye ends a dialogue politely. The login is decided by then, so nobody waits for
// the answer, and an error changes nothing.
func (c *conn) bye(command string) { _ = c.writeLine(command) }

// hasWord tells whether line begins with word, in any case, and word ends there.
func hasWord(line, word string) bool {
	if len(line) < len(word) || !strings.EqualFold(line[:len(word)], word) {
		return false
	}
	return len(line) == len(word) || line[len(word)] == ' '
}

// hasCode tells whether text begins with one of the response codes, such as "[INUSE",
// with or without arguments.
func hasCode(text string, codes ...string) bool {
	text, _, _ = strings.Cut(strings.TrimLeft(text, " "), "]")
	return slices.ContainsFunc(codes, func(code string) bool { return hasWord(text, code) })
}

// hide keeps secrets out of all that is told of the dialogue from now on.
func (c *conn) hide(secrets ...string) {
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, "***")
		}
	}
	c.secrets = strings.NewReplacer(pairs...)
}

// unexpected is the error for what is no answer to the login.
func (c *conn) unexpected(step, line string) error {
	return fmt.Errorf("%s: server said %q", step, c.secrets.Replace(line))
}

// conclude ends a login that the server has answered with line.
func (c *conn) conclude(line string, v verdict) (reply string, err error) {
	switch v {
	case accepted:
		return c.secrets.Replace(line), nil
	case refused:
		return "", fmt.Errorf("%w: server said %q", ErrRejected, c.secrets.Replace(line))
	}
	return "", c.unexpected("authentication", line)
}

// verdict is what the answer to a credential says of the password.
type verdict int

const (
	undecided verdict = iota
	refused
	accepted
)
