package migrate

import "bytes"

// entry is one request in the log.
type entry struct {
	start   int64 // time of the first line
	last    int64 // time of the last line
	stage   field // of the last line
	values  [numFields][]byte
	replied bool // the mail server's reply was logged, so auth.php let the user in
	again   bool // the server is asked once more, as auth.php does after each good login
	status  bool // mailauthd wrote the entry, so that it says how the login ended

	doubt    bool // lines of another request may be among these
	contests [numFields]*contest
	open     int  // contests that are not over
	settled  bool // how the login ended is known, as far as the log tells it
	emitted  bool
}

// letIn reports whether the user was let in.
func (e *entry) letIn() bool {
	if e.status {
		return string(e.values[statusField]) == "OK"
	}
	return e.replied && !exactRefusal(e.values[protocolField], e.values[replyField])
}

// sure reports whether the mail server's reply says that the password is right.
func (e *entry) sure() bool {
	return e.status || positive(e.values[replyField])
}

// exactRefusal reports whether auth.php took a reply for a refusal. Only variants of the script log such a reply.
func exactRefusal(protocol, reply []byte) bool {
	switch string(protocol) {
	case "pop3":
		return bytes.HasPrefix(reply, []byte("-ERR"))
	case "imap":
		return len(reply) >= 4 && bytes.HasPrefix(reply[4:], []byte("NO AUTHENTICATE failed"))
	case "smtp":
		return bytes.HasPrefix(reply, []byte("535"))
	}
	return false
}

// positive reports whether a reply accepts a login: "+OK", a tag and "OK", or 235.
func positive(reply []byte) bool {
	word, rest, _ := bytes.Cut(reply, []byte(" "))
	second, _, _ := bytes.Cut(rest, []byte(" "))
	switch replyProtocol(reply) {
	case "pop3":
		return bytes.EqualFold(word, []byte("+OK"))
	case "imap":
		return bytes.EqualFold(second, []byte("OK"))
	case "smtp":
		return bytes.HasPrefix(reply, []byte("235"))
	}
	return false
}

// isChallenge reports whether a reply is the server's challenge. auth.php takes that for the answer to the password if the
// greeting is longer than the 127 bytes that it reads of a line, as Dovecot's in IMAP is.
func isChallenge(reply []byte) bool {
	word, _, _ := bytes.Cut(reply, []byte(" "))
	return string(word) == "+" || string(word) == "334"
}

// replyProtocol returns the protocol that a reply is of, or "" if the reply does not tell. A tag of IMAP, such as
// auth.php's 001, is no reply code of SMTP, because these begin with 2 to 5.
func replyProtocol(reply []byte) string {
	word, rest, _ := bytes.Cut(reply, []byte(" "))
	second, _, _ := bytes.Cut(rest, []byte(" "))
	switch {
	case bytes.EqualFold(word, []byte("+OK")), bytes.EqualFold(word, []byte("-ERR")):
		return "pop3"
	case len(word) >= 3 && '2' <= word[0] && word[0] <= '5' && isDigit(word[1]) && isDigit(word[2]) && (len(word) == 3 || word[3] == '-'):
		return "smtp"
	case len(word) == 0 || word[0] == '*' || word[0] == '+':
		return ""
	case bytes.EqualFold(second, []byte("OK")), bytes.EqualFold(second, []byte("NO")), bytes.EqualFold(second, []byte("BAD")):
		return "imap"
	}
	return ""
}

// mayGet reports whether a reply can be for an entry.
func (e *entry) mayGet(replyProtocol string) bool {
	return replyProtocol == "" || string(e.values[protocolField]) == replyProtocol
}

// like reports whether it makes no difference which of two entries a line belongs to.
func (e *entry) like(other *entry) bool {
	for _, f := range []field{methodField, userField, protocolField, backendField} {
		if !bytes.Equal(e.values[f], other.values[f]) {
			return false
		}
	}
	return true
}

// reset makes an entry new, and keeps the memory of its values.
func (e *entry) reset() {
	values := e.values
	for f := range values {
		values[f] = values[f][:0]
	}
	*e = entry{values: values}
}
