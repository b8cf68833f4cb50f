package upstream

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// pop3 is POP3 (RFC 1939) with CAPA (RFC 2449), AUTH (RFC 5034) and STLS (RFC 2595).
type pop3 struct{}

func (pop3) greet(c *Conn) (capabilities, error) {
	line, err := c.readLine()
	if err != nil {
		return capabilities{}, err
	}
	if !hasWord(line, "+OK") {
		return capabilities{}, c.unexpected("greeting", line)
	}
	c.stamp = timeStamp(line)
	return capabilities{}, nil
}

// timeStamp returns the msg-id in a greeting that offers APOP (RFC 1939 section 7), or "". A
// stamp that is not a msg-id could be chosen to attack the digest (CVE-2007-1558).
func timeStamp(greeting string) string {
	_, rest, _ := strings.Cut(greeting, "<")
	id, _, found := strings.Cut(rest, ">")
	local, domain, _ := strings.Cut(id, "@")
	outside := func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '@' }
	if !found || local == "" || domain == "" || strings.ContainsFunc(local+domain, outside) {
		return ""
	}
	return "<" + id + ">"
}

// ask sends CAPA. A server without it may still have the commands of RFC 1939.
func (pop3) ask(c *Conn) (capabilities, error) {
	if err := c.writeLine("CAPA"); err != nil {
		return capabilities{}, err
	}
	line, err := c.readLine()
	if err != nil {
		return capabilities{}, err
	}
	if hasWord(line, "-ERR") {
		o := parseCAPA([]string{pop3User}, c.stamp)
		return capabilities{asked: true, mechanisms: o.mechanisms}, nil
	}
	if !hasWord(line, "+OK") {
		return capabilities{}, c.unexpected("CAPA", line)
	}
	var listed []string
	for {
		if line, err = c.readLine(); err != nil {
			return capabilities{}, err
		}
		if line == "." {
			return parseCAPA(listed, c.stamp), nil
		}
		listed = append(listed, strings.TrimPrefix(line, "."))
	}
}

func (pop3) startTLS(c *Conn) error {
	if err := c.writeLine("STLS"); err != nil {
		return err
	}
	line, err := c.readLine()
	if err == nil && !hasWord(line, "+OK") {
		err = c.unexpected("STLS refused", line)
	}
	return err
}

func (pop3) auth(_ *Conn, name string) string { return "AUTH " + name }

func (pop3) goodbye(*Conn) string { return "QUIT" }

// maxCommand returns the limit in RFC 2449 section 4, which RFC 5034 section 4 keeps.
func (pop3) maxCommand() int { return 255 }

func (pop3) answer(c *Conn) (saslReply, error) {
	line, err := c.readLine()
	return saslReply{line, hasWord(line, "+"), continuation(line), pop3Verdict(line)}, err
}

// pop3Verdict returns what the reply to AUTH, APOP or PASS says. Only +OK accepts the login. The
// response codes are those of RFC 2449 section 8 and RFC 3206.
func pop3Verdict(line string) verdict {
	switch {
	case hasWord(line, "+OK"):
		return accepted
	case hasWord(line, "-ERR") && !hasCode(line[len("-ERR"):], "[SYS/TEMP", "[SYS/PERM", "[IN-USE", "[LOGIN-DELAY"):
		return refused
	}
	return undecided
}

// userCommand logs in by USER and PASS (RFC 1939 section 7). Only the answer to PASS is about the
// password: -ERR to USER may also mean that the command is disabled.
func userCommand(c *Conn, user, password string) (string, error) {
	if err := c.writeLogin("USER "+user, "USER "+user); err != nil {
		return "", err
	}
	line, err := c.readLine()
	if err != nil {
		return "", err
	}
	if !hasWord(line, "+OK") {
		return "", notOffered{c.unexpected("USER not offered", line)}
	}
	return c.lastCommand("PASS ", password)
}

// apopCommand logs in by APOP (RFC 1939 section 7).
func apopCommand(c *Conn, user, password string) (string, error) {
	if c.stamp == "" {
		return "", notOffered{errors.New("APOP not offered: greeting has no time stamp")}
	}
	if strings.Contains(user, " ") {
		return "", errors.New("APOP does not allow a user name with a space")
	}
	sum := md5.Sum([]byte(c.stamp + password))
	digest := hex.EncodeToString(sum[:])
	c.hide(digest, strings.ToUpper(digest))
	return c.lastCommand(fmt.Sprintf("APOP %s ", user), digest)
}

func (c *Conn) lastCommand(shown, secret string) (string, error) {
	if err := c.writeSecret(shown, secret); err != nil {
		return "", err
	}
	line, err := c.readLine()
	if err != nil {
		return "", err
	}
	return c.conclude(line, pop3Verdict(line))
}
