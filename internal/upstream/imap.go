package upstream

import (
	"fmt"
	"strings"
)

// imap is IMAP4rev1 (RFC 3501).
type imap struct{}

// tagged returns command with the next tag. The first tag is 001, as in the log of auth.php.
func (c *Conn) tagged(command string) string {
	c.tags++
	return c.tag() + " " + command
}

// tag returns the tag of the latest command.
func (c *Conn) tag() string { return fmt.Sprintf("%03d", c.tags) }

func (imap) greet(c *Conn) (capabilities, error) {
	line, err := c.readLine()
	if err != nil {
		return capabilities{}, err
	}
	if !hasWord(line, "* OK") { // after PREAUTH or BYE there is no authentication
		return capabilities{}, c.unexpected("greeting", line)
	}
	return parseIMAPGreeting(line), nil
}

func (imap) ask(c *Conn) (capabilities, error) {
	if err := c.writeLine(c.tagged("CAPABILITY")); err != nil {
		return capabilities{}, err
	}
	var listed []string
	line, err := c.readTagged(func(untagged string) {
		if hasWord(untagged, "* CAPABILITY") {
			listed = append(listed, untagged[len("* CAPABILITY"):])
		}
	})
	if err != nil {
		return capabilities{}, err
	}
	if !hasWord(line, c.tag()+" OK") {
		return capabilities{}, c.unexpected("CAPABILITY", line)
	}
	return parseIMAPCapability(listed), nil
}

func (imap) startTLS(c *Conn) error {
	if err := c.writeLine(c.tagged("STARTTLS")); err != nil {
		return err
	}
	line, err := c.readTagged(nil)
	if err == nil && !hasWord(line, c.tag()+" OK") {
		err = c.unexpected("STARTTLS refused", line)
	}
	return err
}

func (imap) auth(c *Conn, name string) string { return c.tagged("AUTHENTICATE " + name) }

func (imap) goodbye(c *Conn) string { return c.tagged("LOGOUT") }

// maxCommand returns the length that RFC 7162 section 4 requires of every server.
func (imap) maxCommand() int { return 8192 }

func (imap) answer(c *Conn) (saslReply, error) {
	line, err := c.readTagged(nil)
	return saslReply{line, hasWord(line, "+"), continuation(line), c.imapVerdict(line)}, err
}

// readTagged returns the next tagged response or continuation. A server may send untagged
// responses at any time (RFC 3501 section 7); they are passed to untagged, if that is not nil.
// After a BYE nothing else follows, so that is an error.
func (c *Conn) readTagged(untagged func(line string)) (string, error) {
	for {
		line, err := c.readLine()
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(line, "* ") {
			return line, nil
		}
		if hasWord(line, "* BYE") {
			return "", c.unexpected("disconnected", line)
		}
		if untagged != nil {
			untagged(line)
		}
	}
}

// notThePassword has the response codes of a NO for other reasons than the password (RFC 5530
// section 3).
var notThePassword = []string{"[UNAVAILABLE", "[INUSE", "[PRIVACYREQUIRED", "[LIMIT", "[SERVERBUG", "[CORRUPTION", "[CLIENTBUG", "[CANNOT"}

// imapVerdict returns what the reply to AUTHENTICATE or LOGIN says. Only a tagged OK accepts the login.
func (c *Conn) imapVerdict(line string) verdict {
	status, ours := strings.CutPrefix(line, c.tag()+" ")
	switch {
	case !ours: // another tag, a continuation, or garbage
		return undecided
	case hasWord(status, "OK"):
		return accepted
	case hasWord(status, "NO") && !hasCode(status[len("NO"):], notThePassword...):
		return refused
	}
	return undecided
}

// loginCommand logs in by LOGIN (RFC 3501 section 6.2.3). A string that cannot be quoted is sent
// as a literal, after the server's continuation.
func loginCommand(c *Conn, user, password string) (string, error) {
	command, secret := c.tagged("LOGIN"), ""
	for _, s := range []string{user, password} {
		if quotable(s) {
			secret += " " + quote(s)
			continue
		}
		if err := c.writeSecret(command, fmt.Sprintf("%s {%d}", secret, len(s))); err != nil {
			return "", err
		}
		line, err := c.readTagged(nil)
		if err != nil {
			return "", err
		}
		if !hasWord(line, "+") {
			return "", c.unexpected("LOGIN does not take a literal", line)
		}
		command, secret = "", s
	}
	if err := c.writeSecret(command, secret); err != nil {
		return "", err
	}
	line, err := c.readTagged(nil)
	if err != nil {
		return "", err
	}
	return c.conclude(line, c.imapVerdict(line))
}

// quotable reports whether s can be a quoted string. Only printable ASCII can.
func quotable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quote(s string) string { return `"` + quoter.Replace(s) + `"` }
