package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
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

	// secrets hides what was proved with, so that a server that echoes it does
	// not get it into a log.
	secrets *strings.Replacer
}

func newConn(nc net.Conn, trace func(string)) *conn {
	if trace == nil {
		trace = func(string) {}
	}
	return &conn{net: nc, r: bufio.NewReaderSize(nc, MaxLine), trace: trace}
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
	if c.secrets != nil {
		line = c.secrets.Replace(line)
	}
	c.trace("S: " + line)
	return line, nil
}

// writeLine sends one command.
func (c *conn) writeLine(line string) error {
	c.trace("C: " + line)
	_, err := io.WriteString(c.net, line+"\r\n")
	return err
}

// writeSecret sends a credential, which may be known by another spelling too. Whatever the server has said by then it said
// before it could know the password: that is no answer to it.
func (c *conn) writeSecret(line, spelling string) error {
	if c.r.Buffered() > 0 {
		return errors.New("server spoke before its turn")
	}
	c.trace("C: ***")
	c.secrets = strings.NewReplacer(line, "***", spelling, "***")
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

// hasCode tells whether text begins with one of the response codes, such as "[INUSE]".
func hasCode(text string, codes ...string) bool {
	text = strings.TrimLeft(text, " ")
	for _, code := range codes {
		if len(text) >= len(code) && strings.EqualFold(text[:len(code)], code) {
			return true
		}
	}
	return false
}
