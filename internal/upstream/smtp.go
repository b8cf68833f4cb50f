package upstream

import (
	"net"
	"slices"
	"strings"
)

// loginSMTP authenticates by AUTH (RFC 4954 section 4).
func loginSMTP(c *conn, user, password string) (string, error) {
	if _, err := c.expect("greeting", "220"); err != nil {
		return "", err
	}
	if err := c.writeLine("EHLO " + c.addressLiteral()); err != nil {
		return "", err
	}
	extensions, err := c.expect("EHLO", "250")
	if err != nil {
		return "", err
	}
	if !offersCRAMMD5(extensions) {
		return "", c.unexpected("CRAM-MD5 not offered", extensions[len(extensions)-1])
	}
	if err := c.writeLine("AUTH CRAM-MD5"); err != nil {
		return "", err
	}
	challenge, err := c.expect("CRAM-MD5 not offered", "334")
	if err != nil {
		return "", err
	}
	if err := c.answerChallenge(textOf(challenge[0]), user, password); err != nil {
		return "", err
	}
	reply, err := c.readReply()
	if err != nil {
		return "", err
	}
	defer c.bye("QUIT")
	last := reply[len(reply)-1]
	return c.conclude(last, judgeSMTP(last))
}

// judgeSMTP reads the completion of AUTH (RFC 4954 section 6).
func judgeSMTP(line string) verdict {
	switch line[:3] {
	case "235":
		return accepted
	case "535":
		return refused
	}
	return undecided
}

// expect reads a reply and wants its code.
func (c *conn) expect(step, code string) ([]string, error) {
	reply, err := c.readReply()
	if err != nil {
		return nil, err
	}
	if last := reply[len(reply)-1]; last[:3] != code {
		return nil, c.unexpected(step, last)
	}
	return reply, nil
}

// readReply reads a reply of one or more lines, all with one code (RFC 5321
// section 4.2.1). There is at least one line, and each has at least its code.
func (c *conn) readReply() ([]string, error) {
	var reply []string
	for {
		line, err := c.readLine()
		if err != nil {
			return nil, err
		}
		if !isReplyLine(line) || len(reply) > 0 && line[:3] != reply[0][:3] {
			return nil, c.unexpected("not a reply", line)
		}
		reply = append(reply, line)
		if len(line) == 3 || line[3] == ' ' {
			return reply, nil
		}
	}
}

func isReplyLine(line string) bool {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return false
	}
	if line[1] < '0' || line[1] > '9' || line[2] < '0' || line[2] > '9' {
		return false
	}
	return len(line) == 3 || line[3] == ' ' || line[3] == '-'
}

// textOf is a reply line without its code.
func textOf(line string) string {
	if len(line) < 4 {
		return ""
	}
	return line[4:]
}

// offersCRAMMD5 reads the AUTH line of an EHLO reply, also in the old form
// "AUTH=…". Without any such line it is worth a try, as auth.php did: a server
// may hide AUTH from some clients and still know it.
func offersCRAMMD5(extensions []string) bool {
	announced := false
	for _, line := range extensions {
		words := strings.FieldsFunc(strings.ToUpper(textOf(line)), func(r rune) bool { return r == ' ' || r == '=' })
		if len(words) == 0 || words[0] != "AUTH" {
			continue
		}
		announced = true
		if slices.Contains(words, "CRAM-MD5") {
			return true
		}
	}
	return !announced
}

// addressLiteral is how a host without a name of its own says EHLO (RFC 5321 section 4.1.3).
func (c *conn) addressLiteral() string {
	host, _, err := net.SplitHostPort(c.net.LocalAddr().String())
	if err != nil {
		return "[127.0.0.1]"
	}
	if strings.Contains(host, ":") {
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}
