package mailaddr

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on an RCPT command, in bytes. RFC 5321 section 4.5.3.1 asks for room for at
// least 512 and 256, DSN (RFC 3461 section 5) for 500 more, and for no limits where
// that is possible; nginx gives a command a page by
// default (smtp_client_buffer).
const (
	MaxCommand   = 4096
	MaxRecipient = 512
)

// ErrLiteral is what [Recipient] returns for an address literal such as
// <bob@[192.0.2.1]>: well-formed, and in no domain of ours.
var ErrLiteral = errors.New("address literal in place of a domain")

// Recipient takes the address out of a whole RCPT command with its parameters, as nginx
// sends it in Auth-SMTP-To: nginx itself looks at no more than the word RCPT, and
// sends the mail server the same line later (ngx_mail_smtp_rcpt). A server could
// let any recipient pass that we have let pass, so what could be read in
// two ways is an error here, and no address.
//
// The address comes back as the client wrote it, but for quotes around the local part:
// it is split at its last "@", and what is before that need not be printed as it is.
// Only the postmaster needs no domain, and comes back as "postmaster" (RFC 5321 section
// 4.5.1). A source route is dropped (appendix C).
//
// Angle brackets may be missing altogether, around a plain address without a route. Spaces
// may stand around the colon and before the first bracket. A local part with "@", "%"
// or "!" is refused, quoted or not: there are servers that route by what is in it, and
// Exim's own configuration refuses the same.
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
		return "", errors.New("recipient: a source route to a postmaster without a domain")
	}
	if err := checkParameters(rest); err != nil {
		return "", err
	}
	return address, nil
}

// afterTo cuts "RCPT TO:" off.
func afterTo(command string) (string, error) {
	if len(command) > MaxCommand {
		return "", fmt.Errorf("RCPT command: longer than %d bytes", MaxCommand)
	}
	if !utf8.ValidString(command) { // RFC 6531 section 3.3
		return "", errors.New("RCPT command: neither ASCII nor UTF-8")
	}
	if strings.ContainsFunc(command, func(r rune) bool { return r < ' ' || 0x7f <= r && r < 0xa0 }) {
		return "", errors.New("RCPT command: a control character")
	}
	verb, rest, _ := strings.Cut(command, " ")
	rest = strings.TrimLeft(rest, " ")
	word, rest, ok := strings.Cut(rest, ":")
	if !ok || lower(verb) != "rcpt" || lower(strings.TrimRight(word, " ")) != "to" {
		return "", errors.New("RCPT command: want RCPT TO:<address>")
	}
	return strings.TrimLeft(rest, " "), nil
}

// cutRoute drops "@one,@two:" from before an address.
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

// cutLocal reads a Dot-string or a Quoted-string (RFC 5321 section 4.1.2), and takes the
// quotes off.
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
			err = errors.New("recipient: dots in the wrong place before the @")
		}
	}
	switch {
	case err != nil:
		return "", "", err
	case local == "":
		return "", "", errors.New("recipient: nothing before the @")
	case strings.ContainsAny(local, "@%!"):
		return "", "", errors.New("recipient: a route before the @")
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
				return "", "", errors.New("recipient: a backslash before nothing that it could quote")
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errors.New("recipient: a quote that does not end")
}

// isAtom has RFC 5322's atext, with RFC 6531's addition.
func isAtom(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) || r >= utf8.RuneSelf
}

// cutDomain is stricter than [Domain] as to ASCII: "evil.example%x.ours.example" must
// not pass for a subdomain of ours.
func cutDomain(s string) (domain, rest string, err error) {
	if strings.HasPrefix(s, "[") {
		if n := strings.IndexAny(s, "]<>@ "); n > 0 && s[n] == ']' {
			return "", s[n+1:], ErrLiteral
		}
		return "", "", errors.New("recipient: an address literal that does not end")
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

// checkParameters wants what follows the address to be nothing but esmtp-params (RFC
// 5321 section 4.1.2), and ignores them.
func checkParameters(s string) error {
	if s != "" && s[0] != ' ' {
		return errors.New("recipient: want a space after the address")
	}
	for param := range strings.SplitSeq(s, " ") {
		keyword, _, valued := strings.Cut(param, "=")
		if strings.Trim(keyword, letters) != "" || strings.HasPrefix(keyword, "-") || valued && keyword == "" {
			return errors.New("recipient: more than one address, or what is no parameter after it")
		}
	}
	return nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
