package upstream

import "strings"

// dialect is what differs between the protocols.
type dialect interface {
	// greet reads the greeting, and the capabilities if it lists them.
	greet(c *Conn) (capabilities, error)
	// ask requests the capabilities.
	ask(c *Conn) (capabilities, error)
	// startTLS sends the command, and returns after the server's go-ahead.
	startTLS(c *Conn) error
	// auth returns the command that begins the SASL mechanism with this name.
	auth(c *Conn, name string) string
	// answer reads the server's reply in a step of a SASL mechanism.
	answer(c *Conn) (saslReply, error)
	// goodbye returns the last command.
	goodbye(c *Conn) string
	// maxCommand returns the largest length of a command with an initial response, line end
	// included. A response that does not fit is sent after the command.
	maxCommand() int
}

// dialects has the protocols by name.
var dialects = map[string]dialect{"imap": imap{}, "pop3": pop3{}, "smtp": smtp{}}

// saslReply is the server's reply in a step of a SASL mechanism.
type saslReply struct {
	line      string
	challenge bool   // the line is a challenge
	text      string // of a challenge, in base64
	verdict   verdict
}

// continuation returns the text of "+ text", a challenge in POP3 and IMAP.
func continuation(line string) string {
	return strings.TrimPrefix(strings.TrimPrefix(line, "+"), " ")
}

// verdict is what the answer to a credential says about the password.
type verdict int

const (
	undecided verdict = iota // the password was not checked
	refused                  // the server has checked the password, and it is wrong
	accepted                 // the positive completion of the protocol: the password is right
)
