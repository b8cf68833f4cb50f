// Package mailaddr brings user names and mail domains to one spelling, so that
// a name from a client and a name from the configuration compare equal with ==.
//
// A user name is split at its last "@". Its local part is compared without
// regard to the case of ASCII letters (Dovecot's auth_username_format = %Lu); all
// other bytes stand for themselves, also those that are not UTF-8. A domain is
// compared as RFC 5890 has it: "Bücher.example" and "xn--bcher-kva.EXAMPLE" are
// one domain. The spelling that a client used is what a mail server is told; the
// one spelling made here is for looking up only.
//
// [Recipient] takes an address out of an SMTP command, [CutExtension] the extension off a
// recipient such as "bob+news@example.com".
package mailaddr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxDomain is the longest domain, in bytes of its ASCII form (RFC 1035 section 2.3.4).
const MaxDomain = 253

// lookup is idna.Lookup without the rule against underscores, which do occur
// in names of internal mail domains.
var lookup = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false))

// Split cuts a user name at its last "@". Without one the domain is empty.
func Split(name string) (local, domain string) {
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return name, ""
	}
	return name[:at], name[at+1:]
}

// CutExtension returns a user name without the extension of its local part, and reports
// whether it had one: with "+" among the delimiters "bob+news@example.com" is
// "bob@example.com". The name must be in canonical form.
//
// The rules are those of Postfix's split_addr(3). The first of the delimiters that occurs
// begins the extension; a local part that begins with one is left as it is. So are
// postmaster, mailer-daemon and double-bounce, and, if "-" is one of the delimiters,
// owner-NAME and NAME-request (Postfix's owner_request_special, which is on by default).
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

// Domain returns the one spelling of a domain: ASCII, lower case, IDNA A-labels.
func Domain(name string) (string, error) {
	ascii := lower(name)
	if !isASCII(ascii) {
		if !utf8.ValidString(name) {
			return "", fmt.Errorf("not a domain name: neither ASCII nor UTF-8")
		}
		var err error
		if ascii, err = lookup.ToASCII(name); err != nil {
			return "", fmt.Errorf("not a domain name: breaks the rules of IDNA") // err repeats it
		}
	}
	if err := checkLabels(ascii); err != nil {
		return "", err
	}
	return ascii, nil
}

// User returns the one spelling of a whole user name. It does not allocate when the
// name is in that spelling already, and in ASCII no more than the result otherwise.
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

// isForbidden tells characters that cannot stand in a mail domain. Address
// literals ("[192.0.2.1]") are no domains here: they name no customer.
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
