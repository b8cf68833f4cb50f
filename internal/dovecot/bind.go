package dovecot

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Dialect is what differs between the SQL of two databases, as far as [Template.Bind] needs it.
type Dialect struct {
	placeholder func(i int) string // of the parameter i, counted from 1
	foreign     *regexp.Regexp     // a placeholder
	opening     *regexp.Regexp     // the beginning of a quoted text or a comment
	backslash   bool               // whether a backslash in any quotes escapes the next character
}

// PostgreSQL is the dialect of PostgreSQL. Names and texts may also be quoted as $tag$…$tag$.
func PostgreSQL() Dialect {
	return Dialect{
		placeholder: func(i int) string { return "$" + strconv.Itoa(i) },
		foreign:     regexp.MustCompile(`\$[0-9]+`),
		opening:     regexp.MustCompile(`\b[eE]'|'|"|--|/\*|\$(?:\pL[\pL\pN_]*)?\$`),
	}
}

// MySQL is the dialect of MySQL and MariaDB.
func MySQL() Dialect {
	return Dialect{
		placeholder: func(int) string { return "?" },
		foreign:     regexp.MustCompile(`\?`),
		opening:     regexp.MustCompile("'|\"|`|--|#|/\\*"),
		backslash:   true,
	}
}

// marker stands for a variable while the query is searched for quotes. No template contains it.
const marker = "\x00"

// Bind returns the query with a placeholder for each variable. It returns an error if a variable is inside of quotes or
// a comment, where it would not be a parameter, and if the query has placeholders of its own. The database has the last
// word about both: a query with another number of parameters cannot be prepared.
func (t *Template) Bind(d Dialect) (query string, err error) {
	var variables []string
	var marked, b strings.Builder
	for _, p := range t.parts {
		if p.value == nil {
			marked.WriteString(p.text)
			b.WriteString(p.text)
			continue
		}
		variables = append(variables, p.text)
		marked.WriteString(marker)
		b.WriteString(d.placeholder(len(variables)))
	}
	if err := d.check(marked.String(), variables); err != nil {
		return "", err
	}
	return b.String(), nil
}

// Args returns the values of the variables, in the order of the query's parameters.
func (t *Template) Args(user string) []any {
	var args []any
	for _, p := range t.parts {
		if p.value != nil {
			args = append(args, p.value(user))
		}
	}
	return args
}

// check looks for variables inside of quotes and comments, and for placeholders outside of them.
func (d Dialect) check(marked string, variables []string) error {
	seen := 0
	for marked != "" {
		begin, end := len(marked), len(marked)
		if at := d.opening.FindStringIndex(marked); at != nil {
			begin, end = at[0], at[1]
		}
		bare, opening := marked[:begin], marked[begin:end]
		if d.foreign.MatchString(bare) {
			return errors.New("has a placeholder of its own: write a variable such as %{user} instead")
		}
		seen += strings.Count(bare, marker)
		inside, rest := d.cutQuoted(opening, marked[end:])
		if n := strings.Count(inside, marker); n > 0 {
			return inQuotes(opening, inside, variables[seen])
		}
		marked = rest
	}
	return nil
}

// cutQuoted splits s, which follows an opening quote, after the closing one.
func (d Dialect) cutQuoted(opening, s string) (inside, rest string) {
	closing := opening
	switch opening {
	case "":
		return "", ""
	case "--", "#":
		closing = "\n"
	case "/*":
		closing = "*/"
	case "e'", "E'":
		closing = "'"
	}
	escapes := closing == "'" && (d.backslash || opening != "'") || closing == `"` && d.backslash
	for i := 0; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], closing):
			return s[:i], s[i+len(closing):]
		}
	}
	return s, ""
}

func inQuotes(opening, inside, variable string) error {
	switch opening {
	case "--", "#", "/*":
		return fmt.Errorf("%s is in a comment: remove it there", variable)
	}
	if inside == marker {
		return fmt.Errorf("%s is in quotes: variables are bound parameters, so remove the quotes around it", variable)
	}
	return fmt.Errorf("%s is in quotes: variables are bound parameters, so write it outside of them, such as username = %%{user}", variable)
}
