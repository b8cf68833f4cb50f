package tomledit

import (
	"fmt"
	"strings"
)

// Quote returns s as a TOML basic string. Bytes that are not UTF-8 cannot occur in TOML and
// become U+FFFD, so callers must refuse such strings before.
func Quote(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0: // also C1 controls, which terminals execute
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
