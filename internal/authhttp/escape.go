package authhttp

import "strings"

// Unescape decodes the percent escapes of nginx's mail proxy once, to bytes
// (ngx_escape_uri, NGX_ESCAPE_MAIL_AUTH). Unlike url.QueryUnescape it keeps an invalid
// escape as it is, and does not turn "+" into a space.
func Unescape(s string) string {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for {
		b = append(b, s[:i]...)
		s = s[i:]
		if c, ok := unhex(s); ok {
			b, s = append(b, c), s[3:]
		} else {
			b, s = append(b, '%'), s[1:]
		}
		if i = strings.IndexByte(s, '%'); i < 0 {
			return string(append(b, s...))
		}
	}
}

// unhex decodes the escape at the beginning of s. ok reports whether there is a valid one.
func unhex(s string) (c byte, ok bool) {
	if len(s) < 3 {
		return 0, false
	}
	hi, ok1 := nibble(s[1])
	lo, ok2 := nibble(s[2])
	return hi<<4 | lo, ok1 && ok2
}

func nibble(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
