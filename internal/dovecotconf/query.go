package dovecotconf

import "regexp"

// tokens has the texts and comments of a dialect of SQL. A text with letters before its quotes, such as E'…', is another
// kind of literal.
var tokens = map[string]*regexp.Regexp{
	"pgsql": regexp.MustCompile(`--[^\n]*|(?s:/\*.*?\*/)|\w*'(?:''|[^'])*'|"(?:""|[^"])*"`),
	"mysql": regexp.MustCompile("--[^\\n]*|#[^\\n]*|(?s:/\\*.*?\\*/)|\\w*'(?:''|\\\\.|[^'\\\\])*'|\\w*\"(?:\"\"|\\\\.|[^\"\\\\])*\"|`[^`]*`"),
}

// loneVariable is a quoted text that holds a single variable. PostgreSQL has double quotes around names, never around texts.
var loneVariable = map[string]*regexp.Regexp{
	"pgsql": regexp.MustCompile(`^'(%[LU]?[a-zA-Z]|%[LU]?\{[^{}']*\})'$`),
	"mysql": regexp.MustCompile(`^['"](%[LU]?[a-zA-Z]|%[LU]?\{[^{}'"]*\})['"]$`),
}

// bindable removes the quotes around variables, and writes these as Dovecot 2.4 does.
func bindable(query, driver string) string {
	query = tokens[driver].ReplaceAllStringFunc(query, func(token string) string {
		if m := loneVariable[driver].FindStringSubmatch(token); m != nil {
			return m[1]
		}
		return token
	})
	return newVariables(query)
}

// oldVariable is a variable of Dovecot 2.3, or a percent sign.
var oldVariable = regexp.MustCompile(`%%|%([LU]?)(?:([und])|\{(user|username|domain)\})`)

// newVariables writes the variables as Dovecot 2.4 does. Those that it does not know stay as they are.
func newVariables(s string) string {
	long := map[string]string{
		"u": "user", "n": "user | username", "d": "user | domain", "user": "user", "username": "user | username", "domain": "user | domain",
	}
	return oldVariable.ReplaceAllStringFunc(s, func(old string) string {
		m := oldVariable.FindStringSubmatch(old)
		filter := map[string]string{"": "", "L": "", "U": " | upper"}[m[1]] // a canonical name is in lower case
		if name := long[m[2]+m[3]]; name != "" {
			return "%{" + name + filter + "}"
		}
		return old
	})
}
