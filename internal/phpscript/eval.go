package phpscript

import (
	"strconv"
	"strings"
)

// eval evaluates an expression. After the end of the run everything is null.
func (r *run) eval(n *node) value {
	if n == nil || !r.step(n) {
		return value{}
	}
	v := r.evaluate(n)
	if len(v.text) > longText {
		r.made += len(v.text)
	}
	return v
}

func (r *run) evaluate(n *node) value {
	switch n.op {
	case opText:
		return textValue(n.text, n.line)
	case opNumber:
		return numberLiteral(n)
	case opTemplate:
		return r.template(n)
	case opVariable:
		return r.get(n)
	case opConstant:
		return r.constant(n)
	case opIndex:
		return r.index(n)
	case opArray:
		return r.arrayLiteral(n)
	case opCall:
		return r.call(n)
	case opBinary:
		return r.binary(n)
	case opUnary:
		return r.unary(n)
	case opAssign:
		return r.assignment(n)
	case opStep:
		return r.increment(n)
	case opTernary:
		return r.ternary(n)
	case opCast:
		return r.cast(n)
	case opIsset:
		return r.isset(n)
	case opEmpty:
		return r.not(r.quiet(n.kids[0]), n)
	case opExit:
		r.all(n.kids)
		r.done = true
		return value{}
	case opMatch:
		return r.match(n)
	case opInclude:
		return r.include(n)
	case opThrow:
		r.done = true
		return value{}
	}
	return r.opaque(n)
}

// opaque evaluates what this command does not look into.
func (r *run) opaque(n *node) value {
	switch n.op {
	case opNew:
		r.arguments(n)
		return r.object(n.text, n)
	case opMethod:
		object := r.eval(n.kids[0])
		if n.kids[0].op == opConstant {
			object = r.object(n.kids[0].text, n)
		}
		r.arguments(&node{kids: n.kids[1:]})
		r.bind(n, object)
		if object.kind == isUnknown {
			return unknownFor(&reason{kind: object.why.kind, line: n.line, what: object.why.what})
		}
		return unknownFor(&reason{kind: byOther, line: n.line, what: "the method " + n.text})
	case opProperty:
		if v := r.eval(n.kids[0]); v.kind == isUnknown {
			return v
		}
		return unknownFor(&reason{kind: byOther, line: n.line, what: "a property of an object"})
	case opUnread, opDynamic, opCallValue:
		what := map[op]string{opUnread: n.text, opDynamic: "a variable whose name is computed", opCallValue: "a function whose name is computed"}
		return r.unread(&node{op: opUnread, line: n.line, text: what[n.op], kids: n.kids})
	}
	return unknownFor(&reason{kind: byOther, line: n.line, what: "an expression that this command cannot read"})
}

// arguments evaluates the arguments of a call.
func (r *run) arguments(n *node) []value {
	var list []value
	for _, k := range n.kids {
		v := r.eval(k.kids[1])
		if k.text == "..." {
			v = unknownFor(&reason{kind: byOther, line: k.line, what: "an argument by name, or several in an array"})
		}
		list = append(list, v)
	}
	return list
}

func numberLiteral(n *node) value {
	if i, err := strconv.ParseInt(n.text, 0, 0); err == nil { // also 0x1f, 0b11 and 017
		return value{kind: isNumber, number: int(i), line: n.line}
	}
	if f, err := strconv.ParseFloat(n.text, 64); err == nil && f == float64(int32(f)) {
		return value{kind: isNumber, number: int(f), line: n.line}
	}
	return unknownFor(&reason{kind: byOther, line: n.line, what: "a number with a fraction"})
}

func (r *run) template(n *node) value {
	v := textValue("", 0)
	for _, k := range n.kids {
		part := r.eval(k)
		if k.op == opText {
			part.line = 0
		}
		v = concat(v, part, n.line)
	}
	return v
}

func (r *run) constant(n *node) value {
	switch strings.ToLower(n.text) {
	case "true":
		return boolValue(true)
	case "false":
		return boolValue(false)
	case "null":
		return value{}
	case "php_eol":
		return textValue("\n", 0)
	case "directory_separator":
		return textValue("/", 0)
	case "__line__":
		return numberValue(n.line)
	}
	if v, ok := r.constants[n.text]; ok {
		return v
	}
	if r.included != nil {
		return unknownFor(r.included)
	}
	if strings.HasPrefix(n.text, "PHP_") { // such as PHP_VERSION_ID
		return unknownFor(&reason{kind: byOther, line: n.line, what: "the constant " + n.text + ", which depends on the installation of PHP"})
	}
	if strings.ToUpper(n.text) == n.text { // one of PHP's own, such as LOCK_EX
		return value{kind: isText, text: n.text, line: n.line}
	}
	return unknownFor(&reason{kind: byOther, line: n.line, what: "the constant " + n.text + ", which the script does not define"})
}

func (r *run) binary(n *node) value {
	switch n.text {
	case "&&", "and":
		return r.both(n, true)
	case "||", "or":
		return r.both(n, false)
	case "??":
		if v := r.quiet(n.kids[0]); v.kind != isNull {
			return v
		}
		return r.eval(n.kids[1])
	case "instanceof":
		r.eval(n.kids[0])
		return unknownFor(&reason{kind: byOther, line: n.line, what: "the class of an object"})
	}
	a := r.eval(n.kids[0])
	b := r.eval(n.kids[1])
	r.line = n.line
	switch n.text {
	case ".":
		return concat(a, b, n.line)
	case "==":
		return r.equal(a, b, false)
	case "===":
		return r.equal(a, b, true)
	case "!=", "<>":
		return r.not(r.equal(a, b, false), n)
	case "!==":
		return r.not(r.equal(a, b, true), n)
	case "<", "<=", ">", ">=":
		return r.order(n.text, a, b)
	}
	if a.kind == isArray {
		r.work(len(a.array.keys))
	}
	return arithmetic(n.text, a, b, n.line)
}

// both evaluates a conjunction, or with !want a disjunction.
func (r *run) both(n *node, want bool) value {
	left := r.eval(n.kids[0])
	yes, known := left.truth()
	if known && yes != want {
		return boolValue(!want)
	}
	if !known && !r.x.pure(n.kids[1]) {
		if known, yes = true, r.decide(r.reasonOf(left, n.kids[0])); yes != want {
			return boolValue(!want)
		}
	}
	right := r.eval(n.kids[1])
	yes, rightKnown := right.truth()
	switch {
	case rightKnown && yes != want:
		return boolValue(!want)
	case rightKnown && known:
		return boolValue(want)
	case rightKnown:
		return unknownFor(r.reasonOf(left, n.kids[0]))
	case known:
		return unknownFor(r.reasonOf(right, n.kids[1]))
	}
	return unknownFor(worst(r.reasonOf(left, n.kids[0]), r.reasonOf(right, n.kids[1])))
}

func (r *run) not(v value, n *node) value {
	if yes, known := v.truth(); known {
		return boolValue(!yes)
	}
	return unknownFor(r.reasonOf(v, n))
}

func arithmetic(op string, a, b value, line int) value {
	if a.kind == isArray && b.kind == isArray && op == "+" {
		sum := a.array.clone()
		for _, k := range b.array.keys {
			if _, ok := sum.items[k]; !ok {
				sum.set(k, b.array.items[k])
			}
		}
		sum.rest = worst(a.array.rest, b.array.rest)
		return value{kind: isArray, array: sum}
	}
	computed := unknownFor(&reason{kind: byOther, line: line, what: "a computed number"})
	if a.sign || b.sign {
		return orderOfNames(line)
	}
	if a.isNoInteger() || b.isNoInteger() {
		return computed
	}
	a, b = a.asNumber(), b.asNumber()
	if a.kind == isUnknown || b.kind == isUnknown {
		return unknownFor(worst(a.why, b.why))
	}
	switch {
	case op == "+" && !(a.open && b.open):
		return value{kind: isNumber, number: a.number + b.number, open: a.open || b.open, user: a.user || b.user, line: line}
	case op == "-" && (a.open || !b.open):
		return value{kind: isNumber, number: a.number - b.number, open: a.open != b.open, user: a.user || b.user, line: line}
	case op == "*" && !a.user && !b.user && abs(a.number) < 1<<30 && abs(b.number) < 1<<30:
		return value{kind: isNumber, number: a.number * b.number, line: line}
	case op == "%" && !a.user && !b.user && b.number != 0:
		return value{kind: isNumber, number: a.number % b.number, line: line}
	}
	if !a.user && !b.user {
		return computed
	}
	return unknownFor(&reason{kind: byUser, line: line, what: "a computed number"})
}

func abs(n int) int { return max(n, -n) }

func (r *run) unary(n *node) value {
	v := r.eval(n.kids[0])
	if n.text == "!" {
		return r.not(v, n)
	}
	if n.text == "~" {
		return arithmetic(n.text, v, v, n.line)
	}
	if v = v.asNumber(); v.kind == isUnknown || n.text == "+" {
		return v
	}
	if n.text == "~" {
		return arithmetic("^", v, numberValue(-1), n.line)
	}
	return arithmetic("-", numberValue(0), v, n.line)
}

func (r *run) ternary(n *node) value {
	cond := r.eval(n.kids[0])
	yes, known := cond.truth()
	if !known {
		yes = r.decide(r.reasonOf(cond, n.kids[0]))
	}
	switch {
	case !yes:
		return r.eval(n.kids[2])
	case n.kids[1] == nil:
		return cond
	}
	return r.eval(n.kids[1])
}

func (r *run) cast(n *node) value {
	v := r.eval(n.kids[0])
	switch n.text {
	case "int", "integer":
		return v.asNumber()
	case "string", "binary":
		return v.asText()
	case "bool", "boolean":
		return r.not(r.not(v, n), n)
	case "array":
		if v.kind == isText || v.kind == isNumber || v.kind == isBool {
			a := newArray()
			a.push(v)
			return value{kind: isArray, array: a}
		}
	}
	return v
}

// quiet evaluates what isset, empty and "??" look at. A variable without a value is null there.
func (r *run) quiet(n *node) value {
	if n.op == opVariable && r.included == nil {
		if _, ok := r.scope(n.text)[n.text]; !ok && !strings.HasPrefix(n.text, "_") {
			return value{}
		}
	}
	return r.eval(n)
}

func (r *run) isset(n *node) value {
	all := boolValue(true)
	for _, k := range n.kids {
		v := r.quiet(k)
		if v.kind == isNull {
			return boolValue(false)
		}
		if v.kind == isUnknown && !v.given {
			all = unknownFor(worst(all.why, r.reasonOf(v, k)))
		}
	}
	return all
}

func (r *run) match(n *node) value {
	subject := r.eval(n.kids[0])
	var other *node
	for _, arm := range n.kids[1:] {
		if len(arm.kids) == 1 {
			other = arm
		}
		for _, k := range arm.kids[1:] {
			v := r.equal(subject, r.eval(k), true)
			yes, known := v.truth()
			if !known {
				yes = r.decide(r.reasonOf(v, arm))
			}
			if yes {
				return r.eval(arm.kids[0])
			}
		}
	}
	if other == nil {
		r.done = true // an exception
		return value{}
	}
	return r.eval(other.kids[0])
}

// include marks everything that the script does not set itself as unknown.
func (r *run) include(n *node) value {
	file := r.eval(n.kids[0])
	what := "an included file"
	if file.kind == isText && file.text != "" && !file.user {
		what = "the included file " + file.text
	}
	why := &reason{kind: byInclude, line: n.line, what: what}
	r.included = why
	r.x.tell(n.line, "the script includes a file, which this command does not read: put its text into a copy of the script, in place of this line")
	return unknownFor(why)
}
