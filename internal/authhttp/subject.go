package authhttp

import "strings"

// SubjectValue returns the value of one attribute of the subject, such as "CN" or
// "emailAddress". OpenSSL writes the subject for nginx as in RFC 2253, section 2. ok reports
// whether the subject has exactly one such attribute, and its value is not empty.
func (c Certificate) SubjectValue(attribute string) (value string, ok bool) {
	found := 0
	for rest := c.Subject; rest != ""; {
		var name, v string
		name, v, rest = cutAttribute(rest)
		if strings.EqualFold(name, attribute) {
			value = v
			found++
		}
	}
	return value, found == 1 && value != ""
}

// cutAttribute cuts the first "name=value" off a subject. A value ends at a comma or plus
// sign that is not escaped.
func cutAttribute(s string) (name, value, rest string) {
	name, s, ok := strings.Cut(s, "=")
	if !ok {
		return "", "", ""
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',', '+':
			return strings.TrimSpace(name), b.String(), s[i+1:]
		case '\\':
			c, n := unescapeDN(s[i:])
			b.WriteByte(c)
			i += n - 1
		default:
			b.WriteByte(s[i])
		}
	}
	return strings.TrimSpace(name), b.String(), ""
}

// unescapeDN decodes the escape at the beginning of s, a backslash with two hex digits or one
// character after it, and returns the length of the escape.
func unescapeDN(s string) (c byte, size int) {
	if len(s) > 2 {
		hi, ok1 := nibble(s[1])
		lo, ok2 := nibble(s[2])
		if ok1 && ok2 {
			return hi<<4 | lo, 3
		}
	}
	if len(s) > 1 {
		return s[1], 2
	}
	return '\\', 1
}
