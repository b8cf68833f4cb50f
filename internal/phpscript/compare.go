package phpscript

import (
	"fmt"
	"strings"
)

// equal compares two values as "==", or with strict as "===".
func (r *run) equal(a, b value, strict bool) value {
	r.x.looksAt(a)
	r.x.looksAt(b)
	switch {
	case a.given && b.isEmpty() || b.given && a.isEmpty():
		return boolValue(false)
	case a.kind == isUnknown || b.kind == isUnknown:
		return unknownFor(worst(a.why, b.why))
	case a.sign || b.sign:
		return equalSign(a, b, r.line)
	case a.user && b.user:
		return r.equalParts(a, b)
	case a.user:
		return r.equalUser(a, b, strict)
	case b.user:
		return r.equalUser(b, a, strict)
	case a.kind == isArray && b.kind == isArray && a.array != b.array:
		return unknownFor(&reason{kind: byOther, line: r.line, what: "a comparison of arrays"})
	case strict:
		return boolValue(strictEqual(a, b))
	}
	return boolValue(looseEqual(a, b))
}

func (v value) isEmpty() bool { return v.kind == isNull || v.kind == isText && v.text == "" && !v.open }

// equalSign compares what strcmp returned.
func equalSign(a, b value, line int) value {
	for _, other := range []value{a, b} {
		if yes, known := other.truth(); !other.sign && known && (!yes || other.kind == isBool) {
			return boolValue(yes && other.kind == isBool)
		}
	}
	return orderOfNames(line)
}

func orderOfNames(line int) value {
	return unknownFor(&reason{kind: byUser, line: line, what: "the order of user names"})
}

// equalParts compares two parts of the user name.
func (r *run) equalParts(a, b value) value {
	if a.kind == b.kind && a.open == b.open && a.text == b.text && a.number == b.number {
		return boolValue(true)
	}
	return unknownFor(&reason{kind: byUser, line: r.line, what: "a comparison of two parts of the user name"})
}

// equalUser compares a part of the user name with a plain value, and notes for which domain they are the same.
func (r *run) equalUser(u, c value, strict bool) value {
	if u.kind == isNumber {
		return equalLength(u, c, strict, r.line)
	}
	if c.kind != isText {
		if strict || c.kind == isArray {
			return boolValue(false)
		}
		yes, _ := u.truth()
		want, _ := c.truth()
		return boolValue(yes == want)
	}
	never := r.note(u, c)
	if never {
		return boolValue(r.force != "" && r.force == c.text)
	}
	if !u.open {
		return boolValue(u.text == c.text)
	}
	lead, ok := strings.CutSuffix(c.text, u.text)
	if !ok || lead == "" || strings.Contains(lead, "@") {
		return boolValue(false)
	}
	return unknownFor(&reason{kind: byUser, line: r.line, what: "the part of the user name before the @"})
}

// equalLength compares a length or position in the user name with a plain value.
func equalLength(u, c value, strict bool, line int) value {
	if c.kind == isBool || c.kind == isNull || strict && c.kind != isNumber {
		yes, _ := c.truth()
		return boolValue(!strict && yes)
	}
	if n := c.asNumber().number; u.open && n > u.number {
		return unknownFor(&reason{kind: byUser, line: line, what: "the length of the user name"})
	} else if !u.open {
		return boolValue(u.number == n)
	}
	return boolValue(false)
}

// note remembers that the script compares a part of the user name with a text. It reports whether they have different
// lengths and so are never the same.
func (r *run) note(u, c value) (never bool) {
	domain, exact := c.text, u.whole
	if i := strings.LastIndexByte(domain, '@'); i >= 0 {
		domain, exact = domain[i+1:], true
	}
	if u.open && u.cut == 0 && !exact || u.text == "" && u.open {
		return false // without an "@" it is no name with a domain
	}
	never = u.cut > 0 && len(c.text) != u.cut
	if domain == "" {
		return never
	}
	r.x.compared(r, domain, mention{line: lineOr(c.line, r.line), exact: exact, never: never, cut: u.cut, size: len(c.text)})
	return never
}

// noteContains remembers that the script looks for a text anywhere in the user name, or with !anywhere at its end.
func (r *run) noteContains(u, c value, anywhere bool) {
	domain := c.text
	if anywhere && u.open && !strings.Contains(domain, "@") && strings.Trim(domain, " \t\r\n\x00\"'") != "" {
		r.x.anywhere[domain] = lineOr(c.line, r.line)
	}
	if i := strings.LastIndexByte(domain, '@'); i >= 0 {
		domain = domain[i+1:]
	}
	if domain != "" {
		r.x.compared(r, domain, mention{line: lineOr(c.line, r.line)})
	}
}

func lineOr(line, other int) int {
	if line > 0 {
		return line
	}
	return other
}

// noteAll is note for each key, or each text, of an array, once for each kind of comparison.
func (r *run) noteAll(u value, a *phpArray, keys bool) {
	id := fmt.Sprint(u.whole, u.open, u.cut, keys)
	if a.told[id] {
		if it, ok := a.items[r.domain]; ok && keys {
			r.note(u, textValue(r.domain, it.keyLine))
		}
		return
	}
	if a.told == nil {
		a.told = make(map[string]bool)
	}
	a.told[id] = true
	for _, k := range a.keys {
		switch it := a.items[k]; {
		case keys:
			r.note(u, textValue(k, it.keyLine))
		case it.kind == isText && !it.user:
			r.note(u, it.value)
		}
	}
}

// order compares by size: "<", "<=", ">" and ">=".
func (r *run) order(op string, a, b value) value {
	if a.kind == isUnknown || b.kind == isUnknown {
		return unknownFor(worst(a.why, b.why))
	}
	if a.kind == isText && a.user || b.kind == isText && b.user || a.sign || b.sign {
		return orderOfNames(r.line)
	}
	if b.open && !a.open {
		return r.order(map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op], b, a)
	}
	if a.isNoInteger() || b.isNoInteger() {
		return orderOfTexts(op, a, b, r.line)
	}
	x, y := a.asNumber(), b.asNumber()
	if x.open != y.open && y.number > x.number { // the local part has at least one character
		return unknownFor(&reason{kind: byUser, line: r.line, what: "the length of the user name"})
	}
	n := x.number
	if x.open != y.open {
		n++
	}
	switch op {
	case "<":
		return boolValue(n < y.number)
	case "<=":
		return boolValue(n <= y.number && !x.open)
	case ">":
		return boolValue(n > y.number)
	}
	return boolValue(n >= y.number)
}

// orderOfTexts compares texts of which at least one is no whole number.
func orderOfTexts(op string, a, b value, line int) value {
	_, numericA := numeric(a.text)
	_, numericB := numeric(b.text)
	if a.kind != isText || b.kind != isText || numericA && numericB {
		return unknownFor(&reason{kind: byOther, line: line, what: "the order of two values"})
	}
	return boolValue(map[string]bool{"<": a.text < b.text, "<=": a.text <= b.text, ">": a.text > b.text, ">=": a.text >= b.text}[op])
}
