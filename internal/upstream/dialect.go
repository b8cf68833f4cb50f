package upstream

import "strings"

// dialect is what a protocol has of its own.
type dialect interface {
	// greet reads the greeting, and the capabilities that it may list.
	greet(c *Conn) (capabilities, error)
	// ask asks for the capabilities.
	ask(c *Conn) (capabilities, error)
	// startTLS sends the command, and returns at the server's go-ahead.
	startTLS(c *Conn) error
	// auth is the command that begins the SASL mechanism of this name.
	auth(c *Conn, name string) string
	// answer reads what the server says to a step of a SASL mechanism.
	answer(c *Conn) (saslReply, error)
	// goodbye is the last command.
	goodbye(c *Conn) string
	// maxCommand bounds the command that carries an initial response, line end
	// included; a longer one is sent in two turns.
	maxCommand() int
}

// dialects are the protocols by their name.
var dialects = map[string]dialect{"imap": imap{}, "pop3": pop3{}, "smtp": smtp{}}

// saslReply is the server's part of a step of authentication.
type saslReply struct {
	line      string
	challenge bool   // the server goes on, with text
	text      string // of a challenge: base64
	verdict   verdict
}

// continuation is the text of "+ text", with which POP3 and IMAP servers go on.
func continuation(line string) string {
	return strings.TrimPrefix(strings.TrimPrefix(line, "+"), " ")
}

// verdict is what the answer to a credential says of the password.
type verdict int

const (
	undecided verdict = iota
	refused
	accepted
)
