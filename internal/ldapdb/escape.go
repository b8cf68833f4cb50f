package ldapdb

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
)

// escapeFilter escapes a value in a filter (RFC 4515, section 3).
func escapeFilter(value string) string { return ldap.EscapeFilter(value) }

// escapeDN escapes a value in a DN (RFC 4514, section 2.4). The library's function would replace all bytes that are not
// UTF-8 by the same character, so that two users had one DN.
func escapeDN(value string) string {
	var b strings.Builder
	for i := 0; i < len(value); {
		c := value[i]
		r, n := utf8.DecodeRuneInString(value[i:])
		edge := i == 0 || i == len(value)-1
		switch {
		case c < ' ' || c == 0x7f || r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\%02x`, c)
			n = 1
		case strings.IndexByte(`"+,;<=>\`, c) >= 0, edge && c == ' ', i == 0 && c == '#':
			b.WriteByte('\\')
			fallthrough
		default:
			b.WriteString(value[i : i+n])
		}
		i += n
	}
	return b.String()
}
