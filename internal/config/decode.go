package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
		return Problem{File: f.path, Line: f.lineOf(key), Key: key, What: "want " + f.wanted(key, typeName(m[3]), typeName(m[2]))}
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
	return max(f.allLines()[key], 1)
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

// wanted describes the right values of a key, which is given in TOML syntax, and the wrong type. If an element of an
// array has the wrong type, the types are those of the elements.
func (f *file) wanted(key, right, wrong string) string {
	k := parseKey(key)
	words := choices[pathOf(k)]
	isArray := strings.Contains(example(key), "[")
	switch {
	case wholeFile.isDuration(k):
		return "a duration such as " + durationExample(f.number(k)) + ", not " + wrong
	case len(words) > 0 && !isArray:
		return "one of " + quoteAll(words) + ", not " + wrong
	case len(words) > 0:
		return "an array" + example(key) + ", not " + wrong + " (known: " + strings.Join(words, ", ") + ")"
	case isArray:
		right = "an array"
	}
	return right + example(key) + ", not " + wrong
}

// parseKey parses a key in TOML syntax. It returns nil if there is a mistake.
func parseKey(key string) toml.Key {
	meta, err := toml.Decode(key+" = 0", new(map[string]any))
	if err != nil {
		return nil
	}
	return slices.MaxFunc(meta.Keys(), func(a, b toml.Key) int { return len(a) - len(b) })
}

// number returns the number that is the value of a key, or "" if the value is none.
func (f *file) number(key toml.Key) string {
	var value any = make(map[string]any)
	if _, err := toml.Decode(string(f.data), &value); err != nil {
		return ""
	}
	for _, part := range key {
		table, _ := value.(map[string]any)
		value = table[part]
	}
	switch value.(type) {
	case int64, float64:
		return fmt.Sprint(value)
	}
	return ""
}

// durationExample shows a number with a unit, or else a duration.
func durationExample(number string) string {
	if d, err := time.ParseDuration(number + "s"); err == nil && d > 0 {
		return strconv.Quote(number + "s")
	}
	return `"5s" or "500ms"`
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
	"methods":         `["plain"]`,
	"servers":         `["axigen1"]`,
	"mechanisms":      `["CRAM-MD5"]`,
	"protocols":       `["imap"]`,
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
