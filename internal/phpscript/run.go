package phpscript

import (
	"strconv"
	"strings"
)

// Limits of one run of the script.
const (
	maxSteps   = 200_000 // nodes, and elements of arrays that are copied or searched
	longText   = 256     // bytes of a text that is long
	maxMade    = 8 << 20 // bytes of long texts, in all
	maxCalls   = 50      // functions that call each other
	maxChoices = 48      // conditions that depend on something unknown
	maxRounds  = 2       // rounds of a loop that ends for an unknown reason
)

// run is one run of the script with one user name and protocol. Nothing outside is touched: a condition that depends
// on something unknown goes the way that choices say, and then the way of true.
type run struct {
	x        *explorer
	domain   string // of the user name
	user     value
	protocol string
	method   string
	force    string // take a comparison with this text, which is never true, for true

	choices []bool
	taken   []*reason

	globals   map[string]value
	locals    map[string]value
	shared    map[string]bool // locals that are globals
	constants map[string]value
	headers   map[string]value

	line     int
	steps    int
	made     int
	calls    int
	done     bool // exit
	returned value
	moved    bool // the script walks through arrays by next and the like
	levels   int  // that break or continue have yet to leave
	included *reason
	taint    *reason // why the result cannot be relied upon
}

// control says how a statement ended.
type control uint8

const (
	goOn control = iota
	leave
	again
	giveBack
)

func (r *run) start() {
	r.globals = make(map[string]value)
	r.locals = r.globals
	r.constants = make(map[string]value)
	r.headers = make(map[string]value)
	r.exec(r.x.script.body)
}

// spoil notes that from here on the script does what is not understood.
func (r *run) spoil(kind reasonKind, line int, what string) value {
	why := &reason{kind: kind, line: line, what: what}
	if r.taint == nil {
		r.taint = why
	}
	return unknownFor(why)
}

// step counts the work. It ends a run that takes too long.
func (r *run) step(n *node) bool {
	r.work(1)
	r.line = lineOr(n.line, r.line)
	if r.done {
		return false
	}
	if r.steps > maxSteps || r.made > maxMade || r.x.steps > r.x.maxSteps {
		r.spoil(byOther, r.line, "a loop that does not end, or more work than this command does")
		r.done = true
		return false
	}
	return true
}

func (r *run) work(steps int) {
	r.steps += steps
	r.x.steps += steps
}

// decide goes one way at an unknown condition.
func (r *run) decide(why *reason) bool {
	if len(r.taken) >= maxChoices {
		r.spoil(byOther, why.line, "more conditions than this command follows, the last of them on "+why.what)
		r.done = true
		return false
	}
	yes := true
	if len(r.taken) < len(r.choices) {
		yes = r.choices[len(r.taken)]
	}
	r.taken = append(r.taken, why)
	return yes
}

// holds evaluates a condition.
func (r *run) holds(n *node) bool {
	v := r.eval(n)
	if yes, known := v.truth(); known {
		return yes
	}
	return r.decide(r.reasonOf(v, n))
}

func (r *run) reasonOf(v value, n *node) *reason {
	if v.kind == isArray {
		return v.array.rest
	}
	why := *v.why
	why.line = n.line
	return &why
}

func (r *run) exec(n *node) control {
	if n == nil || !r.step(n) {
		return goOn
	}
	switch n.op {
	case opBlock:
		for _, k := range n.kids {
			if c := r.exec(k); c != goOn || r.done {
				return c
			}
		}
	case opIf:
		if r.holds(n.kids[0]) {
			return r.exec(n.kids[1])
		}
		return r.exec(n.kids[2])
	case opWhile:
		return r.loop(n, n.kids[0], n.kids[1], nil, false)
	case opDo:
		return r.loop(n, n.kids[1], n.kids[0], nil, true)
	case opFor:
		r.all(n.kids[0].kids)
		return r.loop(n, n.kids[1], n.kids[3], n.kids[2], false)
	case opForeach:
		return r.foreach(n)
	case opSwitch:
		return r.switchOver(n)
	case opReturn:
		r.returned = value{}
		if len(n.kids) > 0 {
			r.returned = r.eval(n.kids[0])
		}
		return giveBack
	case opBreak, opContinue:
		r.levels, _ = strconv.Atoi(n.text)
		if n.op == opContinue {
			return again
		}
		return leave
	case opTry:
		return r.try(n)
	default:
		r.simple(n)
	}
	return goOn
}

// simple runs a statement after which the next one follows.
func (r *run) simple(n *node) {
	switch n.op {
	case opEcho:
		r.all(n.kids)
	case opGlobal:
		for _, k := range n.kids {
			if r.shared != nil {
				r.shared[k.text] = true
			}
		}
	case opLocal:
		for i := 0; i+1 < len(n.kids); i += 2 {
			v := r.eval(n.kids[i+1])
			if r.x.script.assigned[n.kids[i].text] > 1 {
				v = unknownFor(&reason{kind: byOther, line: n.line, what: "a static variable"})
			}
			r.set(n.kids[i].text, v)
		}
	case opUnset:
		for _, k := range n.kids {
			r.unset(k)
		}
	case opThrow:
		r.eval(n.kids[0])
		r.done = true
	case opUnread:
		r.unread(n)
	case opClass, opFunction:
	default:
		r.eval(n)
	}
}

func (r *run) unread(n *node) value {
	n.targets(func(name string) { r.set(name, unknownFor(&reason{kind: byOther, line: n.line, what: n.text})) })
	return r.spoil(byOther, n.line, n.text)
}

// try runs the body, or what follows an exception in it.
func (r *run) try(n *node) control {
	body := n.kids[0]
	for _, k := range n.kids[1:] {
		if k.op != opBlock {
			continue
		}
		why := &reason{kind: byProgram, line: n.line, what: "an exception"}
		if !r.decide(why) {
			body = k
			r.set(n.text, unknownFor(why))
		}
		break
	}
	c := r.exec(body)
	for _, k := range n.kids[1:] {
		if k.op == opCase && !r.done {
			if d := r.exec(k.kids[0]); d != goOn { // finally
				return d
			}
		}
	}
	return c
}

func (r *run) all(list []*node) {
	for _, k := range list {
		if !r.done {
			r.eval(k)
		}
	}
}

// scope returns where a variable lives.
func (r *run) scope(name string) map[string]value {
	if r.shared != nil && r.shared[name] {
		return r.globals
	}
	return r.locals
}

func (r *run) set(name string, v value) {
	if v.kind == isArray {
		v.array.shared = true
	}
	if v.kind == isText && v.line > 0 && v.name == "" && r.x.script.assigned[name] == 1 {
		v.name = name
	}
	r.scope(name)[name] = v
}

func (r *run) unset(n *node) {
	switch {
	case n.op == opVariable && r.shared[n.text]: // the global variable stays
		delete(r.shared, n.text)
		delete(r.locals, n.text)
	case n.op == opVariable:
		delete(r.locals, n.text)
	case n.op == opIndex && n.kids[1] != nil:
		base, key := r.quiet(n.kids[0]), r.eval(n.kids[1]).asText()
		if base.kind == isNull {
			return
		}
		if base.kind == isArray && key.kind == isText && !key.user {
			a := base.array.clone()
			a.remove(key.text)
			r.assign(n.kids[0], value{kind: isArray, array: a})
			return
		}
		r.assign(n.kids[0], unknownFor(&reason{kind: byOther, line: n.line, what: "an array"}))
	default:
		r.unread(&node{op: opUnread, line: n.line, text: "an unset that this command cannot follow", kids: []*node{n}})
	}
}

// get reads a variable.
func (r *run) get(n *node) value {
	if v, ok := r.scope(n.text)[n.text]; ok {
		return v
	}
	switch strings.ToUpper(n.text) {
	case "_GET", "_POST", "_REQUEST", "_COOKIE", "_SESSION", "_FILES", "ARGV", "ARGC":
		return unknownFor(&reason{kind: byPeer, line: n.line, what: "$" + n.text})
	}
	if r.included != nil {
		return unknownFor(r.included)
	}
	if r.x.script.assigned[n.text] == 0 && n.text != "" {
		return unknownFor(&reason{kind: byOther, line: n.line, what: "the variable $" + n.text + ", which the script does not set"})
	}
	return value{}
}
