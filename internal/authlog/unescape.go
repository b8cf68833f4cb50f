package authlog

import (
	"strconv"
	"strings"
)

// Unescape returns the value that [Escape] made s of, unless that was cut.
func Unescape(s string) string {
	before, rest, ok := strings.Cut(s, `\x`)
	if !ok {
		return s
	}
	var b strings.Builder
	for ; ok; before, rest, ok = strings.Cut(rest, `\x`) {
		b.WriteString(before)
		if c, err := strconv.ParseUint(rest[:min(len(rest), 2)], 16, 8); err == nil && len(rest) >= 2 {
			b.WriteByte(byte(c))
			rest = rest[2:]
		} else {
			b.WriteString(`\x`)
		}
	}
	b.WriteString(before)
	return b.String()
}
