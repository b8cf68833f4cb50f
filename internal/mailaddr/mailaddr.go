// Package mailaddr converts user names and mail domains to their canonical form. Names from
// clients and from the configuration can then be compared with ==.
//
// A user name is split at its last "@". In the canonical form, ASCII letters of the local
// part are in lower case (as with Dovecot's auth_username_format = %Lu). All other bytes of
// the local part are unchanged, also those that are not UTF-8. The domain has the form of
// RFC 5890: "Bücher.example" and "xn--bcher-kva.EXAMPLE" are the same domain. The canonical
// form is for lookups only. A mail server gets the name as the client sent it.
//
// [Recipient] extracts the address from an SMTP command. [CutExtension] removes the
// extension from a recipient such as "bob+news@example.com".
package mailaddr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxDomain is the largest length of a domain, in bytes of its canonical form (RFC 1035
// section 2.3.4).
const MaxDomain = 253

// lookup is idna.Lookup without the rule against underscores, because names of internal
// mail domains do contain them.
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

// Split splits a user name at its last "@". The domain is empty if there is no "@".
func Split(name string) (local, domain string) {
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return name, ""
	}
	return name[:at], name[at+1:]
}

// CutExtension returns a user name without the extension of its local part, and reports
// whether it had one. If "+" is one of the delimiters, "bob+news@example.com" becomes
// "bob@example.com". The name must be in canonical form.
//
// The rules are those of Postfix's split_addr(3). The extension begins at the first
// delimiter. A local part that begins with a delimiter is unchanged. So are postmaster,
// mailer-daemon and double-bounce and, if "-" is one of the delimiters, owner-NAME and
// NAME-request (Postfix's owner_request_special, which is on by default).
func CutExtension(name, delimiters string) (base string, cut bool) {
	local, _ := Split(name)
	switch local {
	case "postmaster", "mailer-daemon", "double-bounce":
		return name, false
	}
	if strings.Contains(delimiters, "-") {
		list, isRequest := strings.CutSuffix(local, "-request")
		if strings.HasPrefix(local, "owner-") || isRequest && list != "" {
			return name, false
		}
	}
	at := strings.IndexAny(local, delimiters)
	if at <= 0 {
		return name, false
	}
	return name[:at] + name[len(local):], true
}

// Domain returns the canonical form of a domain: IDNA A-labels in lower-case ASCII.
// Errors do not contain the name.
func Domain(name string) (string, error) {
	ascii := lower(name)
	if !isASCII(ascii) {
		if !utf8.ValidString(name) {
			return "", fmt.Errorf("not a domain name: neither ASCII nor UTF-8")
		}
		var err error
		if ascii, err = lookup.ToASCII(name); err != nil {
			return "", fmt.Errorf("not a domain name: breaks the rules of IDNA") // err contains the name
		}
	}
	if err := checkLabels(ascii); err != nil {
		return "", err
	}
	return ascii, nil
}

// User returns the canonical form of a user name, with or without a domain. User does not
// allocate if the name is in canonical form already. For any other ASCII name it allocates
// only the result.
func User(name string) (string, error) {
	name = lower(name)
	local, domain := Split(name)
	if domain == "" {
		return name, nil
	}
	ascii, err := Domain(domain)
	if err != nil {
		return "", err
	}
	if ascii != domain {
		return local + "@" + ascii, nil
	}
	return name, nil
}

func checkLabels(domain string) error {
	if len(domain) > MaxDomain {
		return fmt.Errorf("not a domain name: longer than %d bytes", MaxDomain)
	}
	for label := range strings.SplitSeq(domain, ".") {
		switch {
		case label == "":
			return fmt.Errorf("not a domain name: empty label")
		case len(label) > 63:
			return fmt.Errorf("not a domain name: label longer than 63 bytes")
		case strings.ContainsFunc(label, isForbidden):
			return fmt.Errorf("not a domain name: space, control or other character that no domain has")
		}
	}
	return nil
}

// isForbidden reports whether a mail domain cannot contain a character. The brackets of an
// address literal ("[192.0.2.1]") are forbidden, because a literal is not a domain.
func isForbidden(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`@[]\:;,<>()"/*`, r)
}

func lower(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for ; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
