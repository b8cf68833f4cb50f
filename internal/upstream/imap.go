package upstream

import (
	"fmt"
	"strings"
)

// imap is IMAP4rev1 (RFC 3501).
type imap struct{}

// tagged is a command with a tag of its own. auth.php's log shows the tag 001, and so
// does a login whose first command is its authentication.
func (c *Conn) tagged(command string) string {
	c.tags++
	return c.tag() + " " + command
}

// tag is that of the latest command.
func (c *Conn) tag() string { return fmt.Sprintf("%03d", c.tags) }

func (imap) greet(c *Conn) (capabilities, error) {
	line, err := c.readLine()
	if err != nil {
		return capabilities{}, err
	}
	if !hasWord(line, "* OK") { // PREAUTH and BYE are no offer to authenticate
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

// maxCommand is what RFC 7162 section 4 wants of every server.
func (imap) maxCommand() int { return 8192 }

func (imap) answer(c *Conn) (saslReply, error) {
	line, err := c.readTagged(nil)
	return saslReply{line, hasWord(line, "+"), continuation(line), c.imapVerdict(line)}, err
}

// readTagged skips untagged responses, which a server may send at any time (RFC 3501
// section 7); after a BYE nothing else will come. A continuation is returned as well.
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

// notThePassword are the response codes of a NO that has other reasons (RFC 5530
// section 3).
var notThePassword = []string{"[UNAVAILABLE", "[INUSE", "[PRIVACYREQUIRED", "[LIMIT", "[SERVERBUG", "[CORRUPTION", "[CLIENTBUG", "[CANNOT"}

// imapVerdict reads the completion of AUTHENTICATE or LOGIN.
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

// loginCommand is LOGIN (RFC 3501 section 6.2.3). What cannot be quoted goes as a
// literal, and waits until the server wants it.
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

// quotable reports whether s is of the characters of a quoted string: seven bits.
func quotable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func quote(s string) string { return `"` + quoter.Replace(s) + `"` }
