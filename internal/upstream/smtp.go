package upstream

import (
	"net"
	"strings"
)

// smtp is ESMTP (RFC 5321) with AUTH (RFC 4954) and STARTTLS (RFC 3207).
type smtp struct{}

func (smtp) greet(c *Conn) (capabilities, error) {
	_, err := c.expect("greeting", "220")
	return capabilities{}, err
}

func (smtp) ask(c *Conn) (capabilities, error) {
	if err := c.writeLine("EHLO " + c.addressLiteral()); err != nil {
		return capabilities{}, err
	}
	extensions, err := c.expect("EHLO", "250")
	if err != nil {
		return capabilities{}, err
	}
	return parseEHLO(extensions), nil
}

func (smtp) startTLS(c *Conn) error {
	if err := c.writeLine("STARTTLS"); err != nil {
		return err
	}
	_, err := c.expect("STARTTLS refused", "220")
	return err
}

func (smtp) auth(_ *Conn, name string) string { return "AUTH " + name }

func (smtp) goodbye(*Conn) string { return "QUIT" }

// maxCommand returns the limit in RFC 5321 section 4.5.3.1.4, which RFC 4954 section 4 keeps.
func (smtp) maxCommand() int { return 512 }

func (smtp) answer(c *Conn) (saslReply, error) {
	reply, err := c.readReply()
	if err != nil {
		return saslReply{}, err
	}
	last := reply[len(reply)-1]
	return saslReply{last, last[:3] == "334", textOf(reply[0]), smtpVerdict(last)}, nil
}

// smtpVerdict returns what the reply to AUTH says (RFC 4954 section 6). Only 235 accepts the login.
func smtpVerdict(line string) verdict {
	switch line[:3] {
	case "235":
		return accepted
	case "535":
		return refused
	}
	return undecided
}

// expect reads a reply. It returns an error if the reply has another code.
func (c *Conn) expect(step, code string) ([]string, error) {
	reply, err := c.readReply()
	if err != nil {
		return nil, err
	}
	if last := reply[len(reply)-1]; last[:3] != code {
		return nil, c.unexpected(step, last)
	}
	return reply, nil
}

// readReply reads a reply of one or more lines with the same code (RFC 5321 section 4.2.1). It
// returns at least one line. Each line has at least its code.
func (c *Conn) readReply() ([]string, error) {
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

// textOf returns a reply line without its code.
func textOf(line string) string {
	if len(line) < 4 {
		return ""
	}
	return line[4:]
}

// addressLiteral returns the argument of EHLO for a host without a name (RFC 5321 section 4.1.3).
func (c *Conn) addressLiteral() string {
	host, _, err := net.SplitHostPort(c.raw.LocalAddr().String())
	if err != nil {
		return "[127.0.0.1]"
	}
	if strings.Contains(host, ":") {
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}
