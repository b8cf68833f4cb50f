package phpscript

import (
	"slices"
	"strconv"
	"strings"
)

type valueKind uint8

const (
	isNull valueKind = iota
	isBool
	isNumber
	isText
	isArray
	isUnknown
)

// value is what an expression is worth. The user name is known in part: any local part, and a given domain.
type value struct {
	kind   valueKind
	yes    bool
	number int
	text   string // of an unknown text: what is known of its beginning
	array  *phpArray
	why    *reason // of an unknown value

	line int    // where the script has a text or a number, or 0
	name string // what the script calls it

	user   bool // the end of the user name, or computed from it in a way that keeps it comparable
	open   bool // the local part stands before the text; a number counts from the end of the local part
	whole  bool // the text begins at the "@" or just behind it
	cut    int  // the text is that many characters of the end of the user name
	method bool // the method of the request
	given  bool // not empty, although unknown, as the password is
	sign   bool // a number that is not 0, and whose sign depends on the user name
}

// reasonKind says what an unknown value depends on. Of several the greatest counts.
type reasonKind uint8

const (
	byPassword reasonKind = iota // the password
	byProgram                    // a program, such as md5cram.pl
	byReply                      // what a mail server answered
	byPeer                       // who asks the script
	byIMAP
	byCURL
	byLDAP
	byFile
	byDatabase
	byTime
	byRandom
	byHeader // another header of nginx
	byInclude
	byOther
	byUser // the local part, or the name in a way that is not understood
)

// reason is why a value is unknown.
type reason struct {
	kind reasonKind
	line int
	what string
	same bool // the value ends in the user name itself
}

func unknownFor(r *reason) value { return value{kind: isUnknown, why: r} }

// worst returns the reason of the two that decides less about logins and more about the map.
func worst(a, b *reason) *reason {
	if a == nil || b != nil && b.kind > a.kind {
		return b
	}
	return a
}

func textValue(s string, line int) value { return value{kind: isText, text: s, line: line} }
func boolValue(yes bool) value           { return value{kind: isBool, yes: yes} }
func numberValue(n int) value            { return value{kind: isNumber, number: n} }

// phpArray is ordered, as in PHP. Keys that are integers are written in decimal.
type phpArray struct {
	keys   []string
	items  map[string]item
	next   int
	rest   *reason // why there may be more
	shared bool    // copy before a change
	told   map[string]bool
}

type item struct {
	value
	keyLine int
}

func newArray() *phpArray { return &phpArray{items: make(map[string]item)} }

func (a *phpArray) set(key string, v item) {
	if _, ok := a.items[key]; !ok {
		a.keys = append(a.keys, key)
	}
	a.items[key] = v
	if n, ok := integer(key); ok && n >= a.next {
		a.next = n + 1
	}
}

func (a *phpArray) push(v value) { a.set(strconv.Itoa(a.next), item{value: v}) }

func (a *phpArray) remove(key string) {
	if _, ok := a.items[key]; ok {
		delete(a.items, key)
		a.keys = slices.DeleteFunc(a.keys, func(k string) bool { return k == key })
	}
}

func (a *phpArray) clone() *phpArray {
	c := newArray()
	for _, k := range a.keys {
		c.set(k, a.items[k])
	}
	c.rest = a.rest
	return c
}

// integer reads a text that PHP takes for an integer key.
func integer(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && strconv.Itoa(n) == s
}

func keyValue(key string, line int) value {
	if n, ok := integer(key); ok {
		return numberValue(n)
	}
	return textValue(key, line)
}

// truth reports whether a value counts as true, and whether that is known.
func (v value) truth() (yes, known bool) {
	switch v.kind {
	case isBool:
		return v.yes, true
	case isNumber:
		return v.number != 0 || v.open, true
	case isText:
		return v.open || v.text != "" && v.text != "0", true
	case isArray:
		if len(v.array.keys) == 0 && v.array.rest != nil {
			return false, false
		}
		return len(v.array.keys) > 0, true
	}
	return v.given, v.given || v.kind == isNull
}

// asText returns a scalar as a text.
func (v value) asText() value {
	switch v.kind {
	case isNumber:
		if v.open {
			return unknownFor(&reason{kind: byUser, line: v.line, what: "the length of the user name"})
		} else if v.sign {
			return orderOfNames(v.line)
		}
		return textValue(strconv.Itoa(v.number), v.line)
	case isBool:
		if v.yes {
			return textValue("1", v.line)
		}
		return textValue("", 0)
	case isNull:
		return textValue("", 0)
	case isArray:
		return unknownFor(&reason{kind: byOther, line: v.line, what: "an array in place of a text"})
	}
	return v
}

// asNumber returns a number, or an unknown value.
func (v value) asNumber() value {
	switch v.kind {
	case isText:
		if v.user {
			return unknownFor(&reason{kind: byUser, line: v.line, what: "a number made of the user name"})
		}
		n, _ := strconv.Atoi(leadingDigits(v.text))
		return value{kind: isNumber, number: n, line: v.line, name: v.name}
	case isBool:
		if v.yes {
			return numberValue(1)
		}
		return numberValue(0)
	case isNumber, isUnknown:
		return v
	}
	return numberValue(0)
}

// isNoInteger reports whether a value is an array, or a text that is no integer, so that a sum with it is another kind of number.
func (v value) isNoInteger() bool {
	return v.kind == isArray || v.kind == isText && !v.user && (v.text == "" || strings.Trim(v.text, "0123456789") != "")
}

// numeric returns the number that a text is for PHP.
func numeric(s string) (float64, bool) {
	s = strings.Trim(s, " \t\n\r\v\f")
	if strings.Trim(s, "0123456789+-.eE") != "" { // such as "inf"
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

func leadingDigits(s string) string {
	s = strings.TrimLeft(s, " \t\n\r")
	n := 0
	for n < len(s) && n < 18 && (isDigit(s[n]) || n == 0 && (s[n] == '-' || s[n] == '+')) {
		n++
	}
	return s[:n]
}

// concat joins two values to a text.
func concat(a, b value, line int) value {
	a, b = a.asText(), b.asText()
	switch {
	case a.kind == isUnknown:
		if b.kind == isUnknown {
			a.why = worst(a.why, b.why)
		}
		return a
	case a.kind == isText && a.text == "" && !a.open:
		return b
	case b.kind == isText && b.text == "" && !b.open:
		return a
	case b.kind == isUnknown && !a.user:
		b.text = a.text + b.text
		return b
	case a.user && a.open && b.kind == isText && !b.user: // text behind the name
		return unknownFor(&reason{kind: byUser, line: line, what: "a text that begins with the user name"})
	case a.user || b.user:
		if !a.open && !a.user && a.text == "@" && b.whole && !strings.HasPrefix(b.text, "@") {
			b.text = "@" + b.text
			return b
		}
		v := unknownFor(&reason{kind: byUser, line: line, what: "a text made of the user name", same: b.open && !a.user})
		if !a.user {
			v.text = a.text
		}
		return v
	}
	v := value{kind: isText, text: a.text + b.text, line: line, name: b.name, method: a.method || b.method}
	if len(v.text) > maxText {
		return unknownFor(&reason{kind: byOther, line: line, what: "a very long text"})
	}
	if b.line > 0 {
		v.line = b.line
	} else if a.line > 0 {
		v.line = a.line
	}
	return v
}

// maxText is the longest text that the script may make, in bytes.
const maxText = 64 << 10

// looseEqual compares plain values as "==" does.
func looseEqual(a, b value) bool {
	if a.kind == isBool || b.kind == isBool || a.kind == isNull && b.kind != isText || b.kind == isNull && a.kind != isText {
		x, _ := a.truth()
		y, _ := b.truth()
		return x == y
	}
	if a.kind == isArray || b.kind == isArray {
		return a.kind == b.kind && a.array == b.array
	}
	x, y := a.asText().text, b.asText().text
	if n, ok := numeric(x); ok {
		if m, ok := numeric(y); ok {
			return n == m
		}
	}
	return x == y
}

// strictEqual compares plain values as "===" does.
func strictEqual(a, b value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case isBool:
		return a.yes == b.yes
	case isNumber:
		return a.number == b.number
	case isText:
		return a.text == b.text
	case isArray:
		return a.array == b.array
	}
	return true
}
