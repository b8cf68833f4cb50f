package upstream

import "strings"

// loginPOP3 authenticates by AUTH (RFC 5034 section 4).
func loginPOP3(c *conn, user, password string) (string, error) {
	greeting, err := c.readLine()
	if err != nil {
		return "", err
	}
	if !hasWord(greeting, "+OK") {
		return "", c.unexpected("greeting", greeting)
	}
	if err := c.writeLine("AUTH CRAM-MD5"); err != nil {
		return "", err
	}
	line, err := c.readLine()
	if err != nil {
		return "", err
	}
	challenge, ok := strings.CutPrefix(line, "+ ")
	if !ok {
		return "", c.unexpected("CRAM-MD5 not offered", line)
	}
	if err := c.answerChallenge(challenge, user, password); err != nil {
		return "", err
	}
	if line, err = c.readLine(); err != nil {
		return "", err
	}
	defer c.bye("QUIT")
	return c.conclude(line, judgePOP3(line))
}

// judgePOP3 reads the completion of AUTH.
func judgePOP3(line string) verdict {
	switch {
	case hasWord(line, "+OK"):
		return accepted
	case hasWord(line, "-ERR") && !hasCode(line[len("-ERR"):], "[SYS/TEMP", "[IN-USE"):
		return refused
	}
	return undecided
}
