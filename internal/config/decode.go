package config

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/tomledit"
)

// decodeProblem makes a Problem of the parts of a decoder's error that cannot be a secret. The texts of
// BurntSushi/toml may quote the offending line.
func (f *file) decodeProblem(err error) Problem {
	var parse toml.ParseError
	if errors.As(err, &parse) {
		return Problem{File: f.path, Line: tomledit.ErrorLine(f.data, err), What: "not valid TOML: " + withoutQuotes(parse.Message) + hint(parse.Message)}
	}
	if m := mismatch.FindStringSubmatch(err.Error()); m != nil {
		key, _ := strconv.Unquote(m[1])
		return Problem{File: f.path, Line: f.lineOf(key), Key: key, What: "want " + typeName(m[3]) + example(key) + ", not " + typeName(m[2])}
	}
	if m := wantTable.FindStringSubmatch(err.Error()); m != nil {
		key, _ := strconv.Unquote(m[1])
		return Problem{File: f.path, Line: f.lineOf(key), Key: key, What: "want the table [" + key + "], not " + typeName(m[2])}
	}
	return Problem{File: f.path, Line: 1, What: "a value has the wrong type"}
}

// The errors of BurntSushi/toml's decode.go that are not ParseErrors.
var (
	mismatch  = regexp.MustCompile(`^toml: (?:line \d+ )?\(last key (".*")\): incompatible types: TOML value has type (\S+); destination has type (.+)$`)
	wantTable = regexp.MustCompile(`^toml: (?:line \d+ )?\(last key (".*")\): type mismatch for \S+: expected table but found (.+)$`)
)

// lineOf returns the line of a key that is given in TOML syntax.
func (f *file) lineOf(key string) int {
	f.line(nil)
	return max(f.lines[key], 1)
}

// hint suggests what the administrator probably meant to write.
func hint(msg string) string {
	switch {
	case strings.HasPrefix(msg, "expected '.' or ']' to end table name"):
		return ` (a name with "@" needs quotes: [users."bob@example.com"])`
	case strings.HasPrefix(msg, "expected value"), strings.HasPrefix(msg, "Invalid integer"), strings.HasPrefix(msg, "Invalid float"):
		return ` (a string needs quotes: key = "value")`
	}
	return ""
}

// example shows a right value of a key whose type is often mistaken.
func example(key string) string {
	if e, ok := examples[key[strings.LastIndexByte(key, '.')+1:]]; ok {
		return " such as " + e
	}
	return ""
}

var examples = map[string]string{
	"include":         `["servers.toml"]`,
	"fastcgi":         `["unix:/run/mailauthd/fastcgi.sock"]`,
	"http":            `["127.0.0.1:8008"]`,
	"allowed_clients": `["127.0.0.1"]`,
	"mode":            `"0660"`,
	"grace":           `"10s"`,
	"methods":         `["plain"]`,
	"servers":         `["axigen1"]`,
	"mechanisms":      `["CRAM-MD5"]`,
	"connect_timeout": `"5s"`,
	"timeout":         `"20s"`,
	"host":            `"192.168.0.1"`,
	"url":             `"http://127.0.0.1:8009/mail/auth.php"`,
}

// typeName names a Go or TOML type in an administrator's words.
func typeName(t string) string {
	switch {
	case t == "int64" || t == "integer":
		return "a number"
	case t == "float64" || t == "float":
		return "a number with a fraction"
	case t == "bool" || t == "boolean":
		return "true or false"
	case strings.HasPrefix(t, "[]") || t == "slice":
		return "an array"
	case strings.HasPrefix(t, "map"):
		return "a table"
	case strings.HasPrefix(t, "time."):
		return "a date"
	}
	return "a string"
}

var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"|'[^']*'`)

// withoutQuotes drops what a syntax error quotes from the file, except for punctuation
// and for the names of duplicate keys.
func withoutQuotes(msg string) string {
	if strings.HasPrefix(msg, "Key '") {
		return msg
	}
	if strings.Contains(msg, "out of range") {
		return "number out of range"
	}
	for _, quote := range []string{", but got", " but got", " but found", ": ", " in string '"} {
		msg, _, _ = strings.Cut(msg, quote)
	}
	return quoted.ReplaceAllStringFunc(msg, func(q string) string {
		if len(q) <= len("'='") {
			return q
		}
		return "…"
	})
}
