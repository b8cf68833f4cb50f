package upstream

import "strings"

// tag marks our one command whose completion counts; auth.php's log shows it.
const tag = "001"

// loginIMAP authenticates by AUTHENTICATE (RFC 3501 section 6.2.2).
func loginIMAP(c *conn, user, password string) (string, error) {
	greeting, err := c.readLine()
	if err != nil {
		return "", err
	}
	if !hasWord(greeting, "* OK") { // PREAUTH and BYE are no offer to authenticate
		return "", c.unexpected("greeting", greeting)
	}
	if err := c.writeLine(tag + " AUTHENTICATE CRAM-MD5"); err != nil {
		return "", err
	}
	line, err := c.readTaggedOrContinuation()
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
	if line, err = c.readTaggedOrContinuation(); err != nil {
		return "", err
	}
	defer c.bye("002 LOGOUT")
	return c.conclude(line, judgeIMAP(line))
}

// readTaggedOrContinuation skips untagged responses, which a server may send at any
// time (RFC 3501 section 7); after a BYE nothing else will come.
func (c *conn) readTaggedOrContinuation() (string, error) {
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
	}
}

// judgeIMAP reads the completion of AUTHENTICATE.
func judgeIMAP(line string) verdict {
	status, ours := strings.CutPrefix(line, tag+" ")
	switch {
	case !ours: // another tag, a continuation, or garbage
		return undecided
	case hasWord(status, "OK"):
		return accepted
	case hasWord(status, "NO") && !hasCode(status[len("NO"):], "[UNAVAILABLE", "[INUSE"):
		return refused
	}
	return undecided
}
