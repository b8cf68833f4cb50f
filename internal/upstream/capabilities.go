package upstream

import (
	"slices"
	"strings"
)

// capabilities is what a server says that it supports.
type capabilities struct {
	lines []string // as the server wrote them

	asked bool // the lines answer a command; a greeting may be incomplete
	// complete is whether mechanisms lists all that the server has. It is false after an
	// EHLO reply without an AUTH line: as in auth.php, AUTH is tried then, because a server
	// may hide it from some clients.
	complete   bool
	mechanisms []string // by the names in this package

	initialResponse bool // may be sent with the command
	startTLS        bool
}

func (o *capabilities) offers(name string) bool { return slices.Contains(o.mechanisms, name) }

func (o *capabilities) offer(names ...string) {
	for _, name := range names {
		if name != "" && !o.offers(name) {
			o.mechanisms = append(o.mechanisms, name)
		}
	}
}

// parseIMAPGreeting reads "* OK [CAPABILITY IMAP4rev1 …] text".
func parseIMAPGreeting(line string) capabilities {
	text := strings.TrimLeft(line[len("* OK"):], " ")
	code, _, found := strings.Cut(text, "]")
	if !found || !hasWord(code, "[CAPABILITY") {
		return capabilities{}
	}
	o := parseIMAPCapability([]string{code[len("[CAPABILITY"):]})
	o.asked = false
	return o
}

// parseIMAPCapability reads what follows "* CAPABILITY" in one or more lines (RFC 3501
// section 7.2.1).
func parseIMAPCapability(lines []string) capabilities {
	o := capabilities{asked: true, complete: len(lines) > 0}
	login := o.complete
	for _, line := range lines {
		words := strings.Fields(line)
		o.lines = append(o.lines, strings.Join(words, " "))
		for _, word := range words {
			word = strings.ToUpper(word)
			if name, ok := strings.CutPrefix(word, "AUTH="); ok {
				o.offer(name)
			}
			o.initialResponse = o.initialResponse || word == "SASL-IR" // RFC 4959
			o.startTLS = o.startTLS || word == "STARTTLS"
			login = login && word != "LOGINDISABLED"
		}
	}
	if login {
		o.offer(imapLogin)
	}
	return o
}

// parseCAPA reads the lines of a reply to CAPA (RFC 2449 section 6). The stamp is that of the
// greeting.
func parseCAPA(lines []string, stamp string) capabilities {
	o := capabilities{lines: lines, asked: true, complete: true}
	for _, line := range lines {
		words := strings.Fields(strings.ToUpper(line))
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "SASL":
			o.initialResponse = true // RFC 2449 section 6.3
			o.offer(words[1:]...)
		case pop3User:
			o.offer(pop3User)
		case "STLS":
			o.startTLS = true
		}
	}
	if stamp != "" {
		o.offer(pop3APOP)
	}
	return o
}

// parseEHLO reads the lines of a reply to EHLO. It accepts the old form "AUTH=…" too.
func parseEHLO(lines []string) capabilities {
	o := capabilities{asked: true}
	for _, line := range lines[min(1, len(lines)):] { // the first one is the server's name
		o.lines = append(o.lines, textOf(line))
	}
	for _, line := range lines {
		words := strings.FieldsFunc(strings.ToUpper(textOf(line)), func(r rune) bool { return r == ' ' || r == '=' })
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "AUTH":
			o.complete, o.initialResponse = true, true // RFC 4954 section 4
			o.offer(words[1:]...)
		case "STARTTLS":
			o.startTLS = true
		}
	}
	return o
}
