package dovecot

import (
	"errors"
	"fmt"
	"strings"

	"mailauthd/internal/mailaddr"
)

// Template is a text with variables. It is safe for concurrent use.
type Template struct{ parts []part }

// part is a piece of text or a variable.
type part struct {
	text  string                   // as written
	value func(user string) string // of the variable; nil for text
}

const knownVariables = "known: %{user}, %{username}, %{domain}, %u, %n, %d, and %% for a percent sign"

// ParseTemplate reads a text with variables.
func ParseTemplate(s string) (*Template, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return nil, errors.New("holds a NUL")
	}
	var t Template
	for s != "" {
		n := strings.IndexByte(s, '%')
		if n < 0 {
			n = len(s)
		}
		if n > 0 {
			t.parts = append(t.parts, part{text: s[:n]})
			s = s[n:]
			continue
		}
		p, rest, err := cutVariable(s)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, p)
		s = rest
	}
	return &t, nil
}

// cutVariable reads the variable that s begins with.
func cutVariable(s string) (p part, rest string, err error) {
	if rest, ok := strings.CutPrefix(s, "%%"); ok {
		return part{text: "%"}, rest, nil
	}
	var value func(string) string
	if inner, ok := strings.CutPrefix(s, "%{"); ok {
		inner, rest, ok = strings.Cut(inner, "}")
		if !ok {
			return part{}, "", errors.New("variable without its closing brace: want %{user}")
		}
		value, err = parseLong(inner)
	} else {
		value, rest, err = cutShort(s[1:])
	}
	return part{text: s[:len(s)-len(rest)], value: value}, rest, err
}

// parseLong reads what is between braces: a name and filters.
func parseLong(s string) (func(string) string, error) {
	name, rest, filtered := strings.Cut(s, "|")
	name = strings.TrimSpace(name)
	value := variable(name)
	if value == nil {
		return nil, fmt.Errorf("unknown variable %%{%s} (%s)", name, knownVariables)
	}
	for filtered {
		var word string
		word, rest, filtered = strings.Cut(rest, "|")
		word = strings.TrimSpace(word)
		next := filter(word)
		if next == nil {
			return nil, fmt.Errorf("unknown filter %q (known: username, domain, lower, upper)", word)
		}
		inner := value
		value = func(user string) string { return next(inner(user)) }
	}
	return value, nil
}

// cutShort reads a letter such as the u of %u, perhaps with a modifier before it.
func cutShort(s string) (value func(string) string, rest string, err error) {
	letter, change := s, func(s string) string { return s }
	switch {
	case strings.HasPrefix(s, "L"):
		letter, change = s[1:], filter("lower")
	case strings.HasPrefix(s, "U"):
		letter, change = s[1:], filter("upper")
	}
	names := map[byte]string{'u': "user", 'n': "username", 'd': "domain"}
	if letter != "" && names[letter[0]] != "" {
		inner := variable(names[letter[0]])
		return func(user string) string { return change(inner(user)) }, letter[1:], nil
	}
	for _, r := range s { // the whole character
		return nil, "", fmt.Errorf("unknown variable %q (%s)", "%"+string(r), knownVariables)
	}
	return nil, "", fmt.Errorf("a percent sign at the end (%s)", knownVariables)
}

// variable returns the function that computes a variable, nil if it is unknown.
func variable(name string) func(user string) string {
	switch name {
	case "user":
		return func(user string) string { return user }
	case "username", "domain":
		return filter(name)
	}
	return nil
}

// filter returns the function that a filter applies, nil if it is unknown.
func filter(name string) func(string) string {
	switch name {
	case "username":
		return func(s string) string { local, _ := mailaddr.Split(s); return local }
	case "domain":
		return func(s string) string { _, domain := mailaddr.Split(s); return domain }
	case "lower":
		return func(s string) string { return mapASCII(s, 'A', 'Z', 'a'-'A') }
	case "upper":
		return func(s string) string { return mapASCII(s, 'a', 'z', -('a' - 'A')) }
	}
	return nil
}

// mapASCII adds diff to the bytes from low to high.
func mapASCII(s string, low, high byte, diff int) string {
	b := []byte(s)
	for i, c := range b {
		if low <= c && c <= high {
			b[i] = byte(int(c) + diff)
		}
	}
	return string(b)
}

// UsesUser reports whether the text differs for two users of one domain.
func (t *Template) UsesUser() bool { return t.Expand("a@x", nil) != t.Expand("b@x", nil) }

// UsesDomain reports whether the text differs for two domains.
func (t *Template) UsesDomain() bool { return t.Expand("a@x", nil) != t.Expand("a@y", nil) }

// Expand returns the text with the values of the variables. Each value is passed through escape, unless escape is nil.
func (t *Template) Expand(user string, escape func(string) string) string {
	var b strings.Builder
	for _, p := range t.parts {
		switch {
		case p.value == nil:
			b.WriteString(p.text)
		case escape == nil:
			b.WriteString(p.value(user))
		default:
			b.WriteString(escape(p.value(user)))
		}
	}
	return b.String()
}
