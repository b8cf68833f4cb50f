package mailaddr

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The largest lengths of an RCPT command and its address, in bytes. RFC 5321 section
// 4.5.3.1 requires at least 512 and 256, and RFC 3461 section 5 (DSN) requires 500 more for
// the command. RFC 5321 asks for no limits where possible. By default nginx reads a command
// into one page (smtp_client_buffer).
const (
	MaxCommand   = 4096
	MaxRecipient = 512
)

// ErrLiteral is the error of [Recipient] for an address literal such as
// <bob@[192.0.2.1]>, which is well-formed but has no domain.
var ErrLiteral = errors.New("address literal in place of a domain")

// Recipient returns the address in a whole RCPT command with its parameters, as nginx sends
// it in Auth-SMTP-To. nginx itself reads only the word RCPT, and later sends the same line to
// the mail server (ngx_mail_smtp_rcpt). The server may accept every recipient that was
// accepted here. So Recipient returns an error if a command could be read in two ways.
//
// The address is as the client wrote it, except that quotes around the local part are
// removed. So its local part may hold spaces and quotes. Only the postmaster needs no domain,
// and is returned as "postmaster" (RFC 5321 section 4.5.1). A source route is removed
// (appendix C).
//
// The angle brackets may be missing if the address has no source route and no quotes.
// Spaces are allowed around the colon and before the first bracket. A local part with "@",
// "%" or "!" is refused, quoted or not, because some servers take it for a route. Exim's
// default configuration refuses the same characters.
func Recipient(command string) (string, error) {
	rest, err := afterTo(command)
	if err != nil {
		return "", err
	}
	rest, bracket := strings.CutPrefix(rest, "<")
	routed := strings.HasPrefix(rest, "@")
	if bracket {
		if rest, err = cutRoute(rest); err != nil {
			return "", err
		}
	} else if strings.HasPrefix(rest, `"`) {
		return "", errors.New("recipient: quotes without angle brackets")
	}
	address, rest, err := cutMailbox(rest)
	if err != nil {
		return "", err
	}
	if bracket {
		if rest, bracket = strings.CutPrefix(rest, ">"); !bracket {
			return "", errors.New("recipient: want > right after the address")
		}
	}
	if len(address) > MaxRecipient {
		return "", fmt.Errorf("recipient: longer than %d bytes", MaxRecipient)
	}
	if routed && !strings.Contains(address, "@") {
		return "", errors.New("recipient: source route before a postmaster without a domain")
	}
	if err := checkParameters(rest); err != nil {
		return "", err
	}
	return address, nil
}

// afterTo returns what follows "RCPT TO:".
func afterTo(command string) (string, error) {
	if len(command) > MaxCommand {
		return "", fmt.Errorf("RCPT command: longer than %d bytes", MaxCommand)
	}
	if !utf8.ValidString(command) { // RFC 6531 section 3.3
		return "", errors.New("RCPT command: neither ASCII nor UTF-8")
	}
	if strings.ContainsFunc(command, func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }) {
		return "", errors.New("RCPT command: contains a control character")
	}
	verb, rest, _ := strings.Cut(command, " ")
	rest = strings.TrimLeft(rest, " ")
	word, rest, ok := strings.Cut(rest, ":")
	if !ok || lower(verb) != "rcpt" || lower(strings.TrimRight(word, " ")) != "to" {
		return "", errors.New("RCPT command: want RCPT TO:<address>")
	}
	return strings.TrimLeft(rest, " "), nil
}

// cutRoute removes a source route, such as "@one,@two:", from before an address.
func cutRoute(s string) (string, error) {
	if !strings.HasPrefix(s, "@") {
		return s, nil
	}
	for {
		_, rest, err := cutDomain(s[1:])
		if err != nil {
			return "", fmt.Errorf("source route: %v", err) // ErrLiteral is for the address alone
		}
		if after, ok := strings.CutPrefix(rest, ":"); ok {
			return after, nil
		}
		if s = strings.TrimPrefix(rest, ","); !strings.HasPrefix(s, "@") || s == rest {
			return "", errors.New("recipient: want <@domain,@domain:address> for a source route")
		}
	}
}

func cutMailbox(s string) (address, rest string, err error) {
	local, rest, err := cutLocal(s)
	if err != nil {
		return "", "", err
	}
	quoted := strings.HasPrefix(s, `"`)
	after, ok := strings.CutPrefix(rest, "@")
	if !ok {
		if !quoted && lower(local) == "postmaster" {
			return "postmaster", rest, nil
		}
		return "", "", errors.New("recipient: want an address with a domain")
	}
	domain, rest, err := cutDomain(after)
	if err != nil {
		return "", "", err
	}
	return local + "@" + domain, rest, nil
}

// cutLocal reads a Dot-string or a Quoted-string (RFC 5321 section 4.1.2), and removes the
// quotes.
func cutLocal(s string) (local, rest string, err error) {
	if inner, ok := strings.CutPrefix(s, `"`); ok {
		local, rest, err = unquote(inner)
	} else {
		n := strings.IndexFunc(s, func(r rune) bool { return !isAtom(r) && r != '.' })
		if n < 0 {
			n = len(s)
		}
		local, rest = s[:n], s[n:]
		if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
			err = errors.New("recipient: local part begins or ends with a dot, or has two in a row")
		}
	}
	switch {
	case err != nil:
		return "", "", err
	case local == "":
		return "", "", errors.New("recipient: empty local part")
	case strings.ContainsAny(local, "@%!"):
		return "", "", errors.New("recipient: local part contains @, %, or an exclamation mark")
	}
	return local, rest, nil
}

func unquote(s string) (inner, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			if i++; i == len(s) || s[i] >= utf8.RuneSelf {
				return "", "", errors.New("recipient: backslash before no ASCII character")
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errors.New("recipient: missing closing quote")
}

// isAtom reports whether r is atext of RFC 5322, with the addition of RFC 6531.
func isAtom(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) || r >= utf8.RuneSelf
}

// cutDomain is stricter than [Domain] about ASCII characters: "evil.example%x.ours.example"
// must not be taken for a subdomain of ours.example.
func cutDomain(s string) (domain, rest string, err error) {
	if strings.HasPrefix(s, "[") {
		if n := strings.IndexAny(s, "]<>@ "); n > 0 && s[n] == ']' {
			return "", s[n+1:], ErrLiteral
		}
		return "", "", errors.New("recipient: address literal without a closing bracket")
	}
	n := strings.IndexFunc(s, func(r rune) bool { return !isDomain(r) })
	if n < 0 {
		n = len(s)
	}
	if _, err := Domain(s[:n]); err != nil {
		return "", "", fmt.Errorf("recipient: %w", err)
	}
	return s[:n], s[n:], nil
}

func isDomain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		r == '-' || r == '_' || r == '.' || r >= utf8.RuneSelf
}

// checkParameters returns an error unless only esmtp-params follow the address (RFC 5321
// section 4.1.2).
func checkParameters(s string) error {
	if s != "" && s[0] != ' ' {
		return errors.New("recipient: want a space after the address")
	}
	for param := range strings.SplitSeq(s, " ") {
		keyword, _, valued := strings.Cut(param, "=")
		if strings.Trim(keyword, letters) != "" || strings.HasPrefix(keyword, "-") || valued && keyword == "" {
			return errors.New("recipient: more than one address, or an invalid parameter after it")
		}
	}
	return nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
