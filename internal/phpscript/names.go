package phpscript

import (
	"cmp"
	"strings"
)

// The functions that take user names apart.

func (r *run) partOf(n *node, what string) value {
	return unknownFor(&reason{kind: byUser, line: n.line, what: what})
}

func phpSubstr(r *run, n *node, args []value) value {
	return r.substring(arg(args, 0).asText(), arg(args, 1), arg(args, 2), n.line)
}

// substring cuts a text. Of a user name only its end is known.
func (r *run) substring(v, from, size value, line int) value {
	if u, bad := unclear(v, from, size); bad {
		return u
	}
	n, all := from.asNumber().number, size.kind == isNull
	if !v.user {
		if from.user || size.user {
			return unknownFor(&reason{kind: byUser, line: line, what: "a length that depends on the user name"})
		}
		return value{kind: isText, text: cut(v.text, n, size.asNumber().number, all), line: v.line, name: v.name, method: v.method}
	}
	part := unknownFor(&reason{kind: byUser, line: line, what: "a few characters of the user name"})
	switch {
	case from.user && from.open != v.open || from.user && !from.open || size.user && !all:
		return part
	case from.open: // from a place that was found
		if n < 0 || n > len(v.text) || !all {
			return part
		}
		return value{kind: isText, text: v.text[n:], user: true, whole: n <= 1, line: v.line}
	case n < 0 && (all || size.asNumber().number >= -n):
		if -n > len(v.text) || -n == len(v.text) && !v.open {
			v.cut, v.whole = -n, v.whole && !v.open
			return v
		}
		return value{kind: isText, text: v.text[len(v.text)+n:], user: true, cut: -n, line: v.line}
	case !v.open && v.whole && n == 1 && all && strings.HasPrefix(v.text, "@"):
		v.text = v.text[1:]
		return v
	case n == 0 && all:
		return v
	}
	return part
}

// cut is substr of a plain text.
func cut(s string, from, size int, all bool) string {
	if from < 0 {
		from = max(len(s)+from, 0)
	}
	from = min(from, len(s))
	s = s[from:]
	switch {
	case all:
		return s
	case size < 0:
		return s[:max(len(s)+size, 0)]
	}
	return s[:min(size, len(s))]
}

func phpLength(r *run, n *node, args []value) value {
	v := arg(args, 0).asText()
	r.x.looksAt(v)
	switch {
	case v.kind == isUnknown:
		return v
	case v.user && !v.open:
		return r.partOf(n, "the length of the domain")
	}
	return value{kind: isNumber, number: len(v.text), user: v.user, open: v.open, line: n.line}
}

func phpExplode(r *run, n *node, args []value) value {
	by, v := arg(args, 0).asText(), arg(args, 1).asText()
	if u, bad := unclear(by, v); bad {
		return u
	}
	limit := 0
	if len(args) > 2 {
		l := args[2].asNumber()
		if l.kind != isNumber || l.number < 2 {
			return r.partOf(n, "the function explode with this limit")
		}
		limit = l.number
	}
	r.x.looksAt(v)
	a := newArray()
	switch {
	case !v.user && !by.user && by.text != "":
		for _, part := range strings.SplitN(v.text, by.text, cmp.Or(limit, -1)) {
			a.push(value{kind: isText, text: part, line: v.line, method: v.method})
		}
	case v.user && by.text == "@" && v.open && v.cut == 0 && strings.HasPrefix(v.text, "@"):
		a.push(value{kind: isText, user: true, open: true})
		a.push(value{kind: isText, user: true, whole: true, text: v.text[1:]})
	case v.user && by.text == "@" && v.whole && !v.open && strings.HasPrefix(v.text, "@"):
		a.push(textValue("", 0))
		a.push(value{kind: isText, user: true, whole: true, text: v.text[1:]})
	case v.user && by.text == "@" && (r.domain == "" || v.open && v.text == ""):
		a.push(v)
	default:
		return r.partOf(n, "a part of the user name")
	}
	return value{kind: isArray, array: a}
}

func phpImplode(_ *run, n *node, args []value) value {
	by, list := arg(args, 0), arg(args, 1)
	if by.kind == isArray {
		by, list = list, by
	}
	if list.kind != isArray || list.array.rest != nil {
		return unknownFor(&reason{kind: byOther, line: n.line, what: "the function " + n.text})
	}
	v := textValue("", 0)
	for i, k := range list.array.keys {
		if i > 0 {
			v = concat(v, by, n.line)
		}
		v = concat(v, list.array.items[k].value, n.line)
	}
	return v
}

// find looks for a text in another. In a user name it is found only from the "@" on.
func (r *run) find(n *node, v, part value) (at int, u value, known bool) {
	v, part = v.asText(), part.asText()
	if u, bad := unclear(v, part); bad {
		return 0, u, false
	}
	r.x.looksAt(v)
	if part.user || part.text == "" {
		return 0, r.partOf(n, "a search for a part of the user name"), false
	}
	s, p := v.text, part.text
	if name := strings.ToLower(n.text); strings.Contains(name, "stri") || strings.Contains(name, "ipos") || name == "strripos" {
		s, p = strings.ToLower(s), strings.ToLower(p)
	}
	if v.user && p != "@" && p != "." {
		r.noteContains(v, part, true)
	}
	if v.open && !strings.Contains(s, p) {
		if i := strings.IndexByte(p, '@'); i > 0 && strings.HasPrefix(s, p[i:]) || p == "." || v.text == "" {
			return 0, r.partOf(n, "the part of the user name before the @"), false
		}
	}
	if strings.Contains(strings.ToLower(n.text), "rpos") || strings.EqualFold(n.text, "strripos") || strings.EqualFold(n.text, "strrchr") {
		return strings.LastIndex(s, p), v, true
	}
	return strings.Index(s, p), v, true
}

func phpPosition(r *run, n *node, args []value) value {
	if len(args) > 2 {
		return r.partOf(n, "the function "+n.text+" with an offset")
	}
	at, v, known := r.find(n, arg(args, 0), arg(args, 1))
	switch {
	case !known:
		return v
	case at < 0:
		return boolValue(false)
	}
	return value{kind: isNumber, number: at, user: v.user, open: v.open, line: n.line}
}

func phpContains(r *run, n *node, args []value) value {
	at, v, known := r.find(n, arg(args, 0), arg(args, 1))
	if !known {
		return v
	}
	return boolValue(at >= 0)
}

// phpStringFrom is strstr, stristr and strrchr.
func phpStringFrom(r *run, n *node, args []value) value {
	at, v, known := r.find(n, arg(args, 0), arg(args, 1))
	switch {
	case !known:
		return v
	case at < 0:
		return boolValue(false)
	}
	if yes, ok := arg(args, 2).truth(); yes || !ok {
		if !v.user {
			return textValue(v.text[:at], v.line)
		}
		if v.open && at == 0 && v.cut == 0 {
			return value{kind: isText, user: true, open: true}
		}
		return r.partOf(n, "the part of the user name before the @")
	}
	return value{kind: isText, text: v.text[at:], user: v.user, whole: v.user && (at == 0 && v.open && v.cut == 0 || v.whole && at == 0), line: v.line}
}

func phpEndsWith(r *run, n *node, args []value) value {
	v, end := arg(args, 0).asText(), arg(args, 1).asText()
	if u, bad := unclear(v, end); bad {
		return u
	}
	if !v.user && !end.user {
		return boolValue(strings.HasSuffix(v.text, end.text))
	}
	if end.user {
		return r.partOf(n, "a search for a part of the user name")
	}
	return r.equal(r.substring(v, numberValue(-len(end.text)), value{}, n.line), end, true)
}

func phpCompare(r *run, n *node, args []value) value {
	a, b := arg(args, 0).asText(), arg(args, 1).asText()
	if strings.EqualFold(n.text, "strcasecmp") {
		a.text, b.text = strings.ToLower(a.text), strings.ToLower(b.text)
	}
	return r.comparison(a, b, n.line)
}

// comparison is what strcmp returns.
func (r *run) comparison(a, b value, line int) value {
	same := r.equal(a, b, true)
	switch yes, known := same.truth(); {
	case !known:
		return same
	case yes:
		return numberValue(0)
	}
	return value{kind: isNumber, number: strings.Compare(a.text, b.text), sign: a.user || b.user, line: line}
}

// phpSubstrCompare is substr_compare(text, end, -length).
func phpSubstrCompare(r *run, n *node, args []value) value {
	end := arg(args, 1).asText()
	from := arg(args, 2)
	if size := arg(args, 3); len(args) > 4 || size.kind != isNull && (size.kind != isNumber || from.number >= 0 || size.number < -from.number) {
		return r.partOf(n, "the function "+n.text)
	}
	if from.kind != isNumber || end.kind != isText {
		return r.partOf(n, "the function "+n.text)
	}
	part := r.substring(arg(args, 0).asText(), from, value{}, n.line)
	return r.comparison(part, end, n.line)
}

func phpInArray(r *run, n *node, args []value) value {
	v, list := arg(args, 0), arg(args, 1)
	if list.kind != isArray {
		u, bad := unclear(v, list)
		if !bad {
			u = boolValue(false)
		}
		return u
	}
	strict, _ := arg(args, 2).truth()
	if v.user {
		r.noteAll(v, list.array, false)
	}
	var why *reason
	for _, k := range list.array.keys {
		same := r.equal(v, list.array.items[k].value, strict)
		yes, known := same.truth()
		switch {
		case !known:
			why = worst(why, same.why)
		case yes && strings.EqualFold(n.text, "array_search"):
			return keyValue(k, list.array.items[k].keyLine)
		case yes:
			return boolValue(true)
		}
	}
	if why = worst(why, list.array.rest); why != nil {
		return unknownFor(why)
	}
	return boolValue(false)
}

func phpKeyExists(r *run, n *node, args []value) value {
	list := arg(args, 1)
	if list.kind != isArray {
		if v, bad := unclear(args...); bad {
			return v
		}
		return boolValue(false)
	}
	v := r.element(list.array, arg(args, 0))
	if v.kind == isUnknown {
		return v
	}
	key := arg(args, 0).asText()
	_, ok := list.array.items[key.text]
	return boolValue(ok && !key.open)
}
