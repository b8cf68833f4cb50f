package upstream

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
)

// exchange is the client's side of one SASL mechanism (RFC 4422) in one login.
type exchange interface {
	// first reports whether the client sends the first message.
	first() bool
	// respond returns the response to the server's challenge. The first challenge is empty if
	// the client sends the first message.
	respond(challenge []byte) ([]byte, error)
	// secrets returns what must be hidden, besides the password and the latest response.
	secrets() []string
	// checkOutcome returns an error if the verdict must be ignored, such as a success before
	// the password was proved or, in SCRAM, before the server has proved that it knows it.
	checkOutcome(v verdict) error
}

// notOffered is the error of a mechanism that the server did not begin. Another mechanism may
// work.
type notOffered struct{ error }

func (e notOffered) Unwrap() error { return e.error }

// authenticate runs a SASL mechanism. The user name is sent with the first response, so an
// earlier line of the server is not an answer to it.
func (c *Conn) authenticate(name string, x exchange) (string, error) {
	began, waiting, err := c.begin(name, x)
	if err != nil {
		return "", err
	}
	for {
		a, err := c.dialect.answer(c)
		if err != nil {
			return "", err
		}
		if !a.challenge {
			return c.finish(name, x, a, began)
		}
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimRight(a.text, " "))
		if err != nil {
			return "", errors.New("challenge is not base64")
		}
		response := waiting
		if waiting = ""; response == "" {
			if response, err = c.respond(x, challenge); err != nil {
				return "", err
			}
		}
		if err := c.writeSecret("", response); err != nil {
			return "", err
		}
		began = true
	}
}

// begin sends the command, with the initial response if the server accepts one (RFC 4959,
// RFC 4954, RFC 5034). If not, it returns the response as waiting for the server's challenge. It
// does the same if there is something to read before, such as an untagged response, which is no
// error.
func (c *Conn) begin(name string, x exchange) (began bool, waiting string, err error) {
	command := c.dialect.auth(c, name)
	c.begun = true
	if !x.first() {
		return false, "", c.writeLine(command)
	}
	response, err := c.respond(x, nil)
	if err != nil {
		return false, "", err
	}
	takes := c.caps.initialResponse && c.caps.offers(name) && !c.pending()
	if !takes || len(command+" "+response+"\r\n") > c.dialect.maxCommand() {
		return false, response, c.writeLine(command)
	}
	return true, "", c.writeSecret(command+" ", response)
}

// respond returns the next response in base64, and hides it from now on.
func (c *Conn) respond(x exchange, challenge []byte) (string, error) {
	response, err := x.respond(challenge)
	if err != nil {
		return "", err
	}
	c.hideBase64(response)
	c.hide(x.secrets()...)
	return base64.StdEncoding.EncodeToString(response), nil
}

// finish ends the exchange with the server's last line.
func (c *Conn) finish(name string, x exchange, a saslReply, began bool) (string, error) {
	if !began {
		return "", notOffered{c.unexpected(name+" not offered", a.line)}
	}
	reply, err := c.conclude(a.line, a.verdict)
	if doubt := x.checkOutcome(a.verdict); doubt != nil && a.verdict != undecided {
		return "", errors.New(c.masked(doubt.Error()))
	}
	return reply, err
}

// fixed is an exchange whose responses do not depend on the challenges.
type fixed struct {
	clientFirst bool
	responses   [][]byte
	sent        int
}

func (s *fixed) first() bool { return s.clientFirst }

func (s *fixed) respond([]byte) ([]byte, error) {
	if s.sent == len(s.responses) {
		return nil, errTooMuch
	}
	s.sent++
	return s.responses[s.sent-1], nil
}

func (*fixed) secrets() []string { return nil }

func (s *fixed) checkOutcome(v verdict) error {
	if v == accepted && s.sent < len(s.responses) {
		return errTooEarly
	}
	return nil
}

var (
	errTooMuch  = errors.New("server sent more challenges than the mechanism has")
	errTooEarly = errors.New("server accepted the login before the password was sent")
)

// newPlain returns an exchange of PLAIN (RFC 4616), without an authorization identity.
func newPlain(_ context.Context, _ Server, user, password string) exchange {
	return &fixed{clientFirst: true, responses: [][]byte{plainMessage(user, password)}}
}

func plainMessage(user, password string) []byte { return []byte("\x00" + user + "\x00" + password) }

// newLogin returns an exchange of LOGIN (draft-murchison-sasl-login). The server asks for the user
// name and then for the password. The text of its challenges varies.
func newLogin(_ context.Context, _ Server, user, password string) exchange {
	return &fixed{responses: [][]byte{[]byte(user), []byte(password)}}
}
