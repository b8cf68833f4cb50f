package phpscript

import (
	"strings"
)

// arrayLiteral makes an array. One that is the same in each run is made once.
func (r *run) arrayLiteral(n *node) value {
	if a := r.x.literals[n]; a != nil {
		return value{kind: isArray, array: a}
	}
	a, constant := newArray(), true
	for _, it := range n.kids {
		if it.kids[1] == nil {
			continue
		}
		v := r.eval(it.kids[1])
		constant = constant && fixed(it.kids[0]) && fixed(it.kids[1])
		if v.kind == isArray {
			v.array.shared = true
		}
		switch {
		case it.text == "&":
			r.spoil(byOther, it.line, "a reference in an array")
			a.rest = r.taint
		case it.text != "":
			a.rest = &reason{kind: byOther, line: it.line, what: "a reference or a spread array"}
		case it.kids[0] == nil:
			a.push(v)
		default:
			r.store(a, r.eval(it.kids[0]), v)
		}
	}
	if constant && !r.done {
		a.shared = true
		r.x.literals[n] = a
	}
	return value{kind: isArray, array: a}
}

// fixed reports whether an expression has the same value in each run.
func fixed(n *node) bool {
	if n == nil {
		return true
	}
	switch n.op {
	case opText, opNumber, opItem:
	case opArray:
	case opConstant:
		switch strings.ToLower(n.text) {
		case "true", "false", "null":
		default:
			return false
		}
	default:
		return false
	}
	for _, k := range n.kids {
		if !fixed(k) {
			return false
		}
	}
	return true
}

// store sets an element of an array that may be changed.
func (r *run) store(a *phpArray, key, v value) {
	key = key.asText()
	if key.kind == isUnknown || key.user {
		why := &reason{kind: byUser, line: r.line, what: "an element chosen by the user name"}
		if key.kind == isUnknown {
			why = key.why
		}
		a.rest = worst(a.rest, why)
		return
	}
	if v.kind == isArray {
		v.array.shared = true
	}
	if v.kind == isText && v.name == "" && v.line > 0 {
		v.name = key.text
	}
	if old, ok := a.items[key.text]; ok && old.kind == isText && v.kind == isText && old.text != v.text && old.line > 0 && v.line > old.line {
		r.x.replaced(key.text, old.keyLine, key.line)
	}
	a.set(key.text, item{v, lineOr(key.line, r.line)})
}

// index reads an element of an array, or a character of a text.
func (r *run) index(n *node) value {
	if n.kids[1] == nil {
		return value{}
	}
	if base := n.kids[0]; base.op == opVariable && (base.text == "_SERVER" || base.text == "_ENV") {
		if key := r.eval(n.kids[1]); key.kind == isText {
			return r.server(key.text, n.line)
		}
	}
	if base := n.kids[0]; base.op == opVariable && base.text == "GLOBALS" {
		if key := r.eval(n.kids[1]); key.kind == isText {
			return r.globals[key.text]
		}
	}
	base, key := r.quiet(n.kids[0]), r.eval(n.kids[1])
	switch base.kind {
	case isUnknown:
		return base
	case isArray:
		r.line = n.line
		return r.element(base.array, key)
	case isText:
		return r.character(base, key, n)
	}
	return value{}
}

// character is one of a text. There is none at an index beyond the end, or at one that is no number.
func (r *run) character(text, key value, n *node) value {
	if !text.user && !key.user && key.kind != isUnknown {
		if i, ok := integer(key.asText().text); !ok || i < -len(text.text) || i >= len(text.text) {
			return value{}
		}
	}
	return r.substring(text, key, numberValue(1), n.line)
}

// element looks up a key, and notes for which domain it is found.
func (r *run) element(a *phpArray, key value) value {
	r.x.looksAt(key)
	if key = key.asText(); key.kind == isUnknown {
		r.x.reachable(a)
		return unknownFor(&reason{kind: key.why.kind, line: r.line, what: key.why.what})
	}
	if key.user {
		r.noteAll(key, a, true)
	}
	if key.open {
		for _, k := range a.keys {
			lead, ok := strings.CutSuffix(k, key.text)
			if ok && lead != "" && !strings.Contains(lead, "@") {
				return unknownFor(&reason{kind: byUser, line: r.line, what: "the whole user name"})
			}
		}
	} else if it, ok := a.items[key.text]; ok {
		return it.value
	}
	if a.rest != nil {
		return unknownFor(a.rest)
	}
	return value{}
}

func (r *run) assignment(n *node) value {
	target := n.kids[0]
	if n.text == "=" {
		v := r.eval(n.kids[1])
		r.assign(target, v)
		return v
	}
	old := r.quiet(target)
	if n.text == "??=" {
		if old.kind != isNull {
			return old
		}
		v := r.eval(n.kids[1])
		r.assign(target, v)
		return v
	}
	v := r.eval(n.kids[1])
	if op := strings.TrimSuffix(n.text, "="); op == "." {
		v = concat(old, v, n.line)
	} else {
		v = arithmetic(op, old, v, n.line)
	}
	r.assign(target, v)
	return v
}

func (r *run) increment(n *node) value {
	old := r.eval(n.kids[0])
	v := arithmetic(n.text[:1], old, numberValue(1), n.line)
	r.assign(n.kids[0], v)
	if strings.HasSuffix(n.text, "post") {
		return old
	}
	return v
}

// assign gives a variable, an element or a list of them a value.
func (r *run) assign(target *node, v value) {
	switch target.op {
	case opVariable:
		r.set(target.text, v)
	case opIndex:
		r.assignElement(target, v)
	case opArray:
		r.assignList(target, v)
	case opProperty, opStatic:
		r.eval(target.kids[0])
	default:
		r.unread(&node{op: opUnread, line: target.line, text: "an assignment that this command cannot follow", kids: []*node{target}})
	}
}

func (r *run) assignList(target *node, v value) {
	for i, it := range target.kids {
		if it.kids[1] == nil {
			continue
		}
		key := numberValue(i)
		if it.kids[0] != nil {
			key = r.eval(it.kids[0])
		}
		switch v.kind {
		case isArray:
			r.assign(it.kids[1], r.element(v.array, key))
		case isUnknown:
			r.assign(it.kids[1], v)
		default:
			r.assign(it.kids[1], value{})
		}
	}
}

func (r *run) assignElement(target *node, v value) {
	base := target.kids[0]
	if base.op == opVariable && base.text == "GLOBALS" && target.kids[1] != nil {
		if key := r.eval(target.kids[1]); key.kind == isText && !key.user {
			if v.kind == isArray {
				v.array.shared = true
			}
			r.globals[key.text] = v
			return
		}
	}
	if base.op == opVariable && (base.text == "_SERVER" || base.text == "GLOBALS") {
		r.spoil(byOther, target.line, "an assignment to $"+base.text)
		return
	}
	old := r.quiet(base)
	a := newArray()
	switch old.kind {
	case isArray:
		if a = old.array; a.shared {
			r.work(len(a.keys))
			a = a.clone()
		}
	case isNull:
	case isUnknown:
		a.rest = old.why
	default:
		r.assign(base, unknownFor(&reason{kind: byOther, line: target.line, what: "an element of a text"}))
		return
	}
	if target.kids[1] == nil {
		if v.kind == isArray {
			v.array.shared = true
		}
		a.push(v)
	} else {
		r.store(a, r.eval(target.kids[1]), v)
	}
	r.assign(base, value{kind: isArray, array: a})
	a.shared = base.op != opVariable // or else a copy of what is around it would have the same
}

// server reads what PHP knows of the request.
func (r *run) server(name string, line int) value {
	because := func(kind reasonKind, what string) value {
		return unknownFor(&reason{kind: kind, line: line, what: what})
	}
	name = strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	switch strings.TrimPrefix(name, "HTTP_") {
	case "AUTH_USER":
		return r.user
	case "AUTH_PASS":
		v := because(byPassword, "the password")
		v.given = true
		return v
	case "AUTH_SALT":
		return because(byPassword, "the salt")
	case "AUTH_PROTOCOL":
		return textValue(r.protocol, 0)
	case "AUTH_METHOD":
		return value{kind: isText, text: r.method, method: true}
	case "REQUEST_METHOD":
		return textValue("GET", 0)
	case "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_PORT", "HOST", "USER_AGENT", "SERVER_ADDR", "SERVER_PORT", "SERVER_NAME", "REQUEST_URI", "QUERY_STRING":
		return because(byPeer, name)
	}
	if strings.HasPrefix(name, "HTTP_X_") {
		return because(byPeer, "the header "+name)
	}
	return because(byHeader, "the header "+name)
}
