package phpscript

import (
	"slices"
	"strings"
)

// Precedences of binary operators, low to high. An assignment binds its left side, whatever stands before it.
const (
	bindTernary  = 5
	bindCoalesce = 6
	bindNot      = 18
	bindUnary    = 20
)

func precedence(t token) int {
	if t.kind == tokenName {
		switch strings.ToLower(t.text) {
		case "or":
			return 1
		case "xor":
			return 2
		case "and":
			return 3
		case "instanceof":
			return 19
		}
	}
	if t.kind != tokenOp {
		return 0
	}
	switch t.text {
	case "?":
		return bindTernary
	case "??":
		return bindCoalesce
	case "||":
		return 7
	case "&&":
		return 8
	case "|":
		return 9
	case "^":
		return 10
	case "&":
		return 11
	case "==", "!=", "===", "!==", "<>", "<=>":
		return 12
	case "<", "<=", ">", ">=":
		return 13
	case ".":
		return 14
	case "<<", ">>":
		return 15
	case "+", "-":
		return 16
	case "*", "/", "%":
		return 17
	case "**":
		return 21
	}
	return 0
}

// expr reads an expression whose operators bind more closely than least.
func (p *parser) expr(least int) *node {
	defer p.deeper()()
	left := p.unary()
	for p.err == nil {
		t := p.peek()
		bind := precedence(t)
		if bind <= least {
			break
		}
		p.take()
		switch bind {
		case bindTernary:
			left = p.ternary(left, t)
		case bindCoalesce:
			left = &node{op: opBinary, line: t.line, text: "??", kids: []*node{left, p.expr(bind - 1)}}
		default:
			left = &node{op: opBinary, line: t.line, text: strings.ToLower(t.text), kids: []*node{left, p.expr(bind)}}
		}
	}
	return left
}

func (p *parser) ternary(cond *node, t token) *node {
	yes := (*node)(nil)
	if !p.is(":") {
		yes = p.expr(0)
	}
	p.want(":")
	return &node{op: opTernary, line: t.line, kids: []*node{cond, yes, p.expr(bindTernary)}}
}

var castTypes = []string{"int", "integer", "string", "bool", "boolean", "array", "float", "double", "object", "binary"}

func (p *parser) unary() *node {
	t := p.peek()
	if t.kind == tokenOp {
		switch t.text {
		case "!":
			p.take()
			return &node{op: opUnary, line: t.line, text: "!", kids: []*node{p.expr(bindNot - 1)}}
		case "-", "+", "~":
			p.take()
			return &node{op: opUnary, line: t.line, text: t.text, kids: []*node{p.expr(bindUnary)}}
		case "@", "&":
			return p.atOrReference(p.take())
		case "++", "--":
			p.take()
			return &node{op: opStep, line: t.line, text: t.text, kids: []*node{p.expr(bindUnary)}}
		case "(":
			if name := p.peekAt(1); name.kind == tokenName && p.peekAt(2).text == ")" && slices.Contains(castTypes, strings.ToLower(name.text)) {
				p.take()
				p.take()
				p.take()
				return &node{op: opCast, line: t.line, text: strings.ToLower(name.text), kids: []*node{p.expr(bindUnary - 1)}}
			}
		}
	}
	return p.assignment(p.postfix(p.primary()))
}

var assignOps = []string{"=", ".=", "+=", "-=", "*=", "/=", "%=", "??=", "|=", "&=", "^=", "<<=", ">>=", "**="}

// assignment reads what may follow the target of an assignment.
func (p *parser) assignment(target *node) *node {
	t := p.peek()
	if t.kind != tokenOp {
		return target
	}
	switch {
	case slices.Contains(assignOps, t.text):
		p.take()
		if p.accept("&") { // a reference: the two names share their value from then on
			return &node{op: opUnread, line: t.line, text: "a reference (=&)", kids: []*node{target, p.expr(3)}}
		}
		return &node{op: opAssign, line: t.line, text: t.text, kids: []*node{target, p.expr(3)}}
	case t.text == "++" || t.text == "--":
		p.take()
		return &node{op: opStep, line: t.line, text: t.text + "post", kids: []*node{target}}
	}
	return target
}

func (p *parser) primary() *node {
	t := p.take()
	switch t.kind {
	case tokenVariable:
		return &node{op: opVariable, line: t.line, text: t.text}
	case tokenText:
		return &node{op: opText, line: t.line, text: t.text}
	case tokenTemplate:
		return p.templateNode(t)
	case tokenNumber:
		return &node{op: opNumber, line: t.line, text: t.text}
	case tokenName:
		return p.named(t)
	case tokenOp:
		switch t.text {
		case "(":
			n := p.expr(0)
			p.want(")")
			return n
		case "[":
			return p.array(t, "]")
		case "$":
			return p.dynamic(t)
		}
	}
	p.pos = max(p.pos-1, 0)
	p.fail()
	return &node{op: opUnread, line: t.line, text: "statement"}
}

// dynamic reads $$name and ${expression}.
func (p *parser) dynamic(t token) *node {
	if !p.accept("{") {
		p.primary()
	} else if name := p.peek(); name.kind == tokenName && p.peekAt(1).text == "}" {
		p.take()
		p.take()
		return &node{op: opVariable, line: t.line, text: name.text} // ${name} in a string
	} else {
		p.expr(0)
		p.want("}")
	}
	return &node{op: opDynamic, line: t.line}
}

// named reads an expression that begins with a word.
func (p *parser) named(t token) *node {
	n := &node{line: t.line, text: t.text}
	switch strings.ToLower(t.text) {
	case "array":
		if p.accept("(") {
			return p.array(t, ")")
		}
	case "list":
		p.want("(")
		return p.array(t, ")")
	case "isset":
		p.want("(")
		n.op, n.kids = opIsset, p.block(")").kids
		return n
	case "empty":
		n.op, n.kids = opEmpty, []*node{p.condition()}
		return n
	case "exit", "die":
		n.op = opExit
		if p.accept("(") {
			n.kids = p.block(")").kids
		}
		return n
	case "include", "include_once", "require", "require_once":
		n.op, n.kids = opInclude, []*node{p.expr(3)}
		return n
	case "print", "clone", "yield":
		return p.expr(3)
	case "throw":
		n.op, n.kids = opThrow, []*node{p.expr(3)}
		return n
	case "new":
		return p.newObject(n)
	case "match":
		if p.is("(") {
			return p.match(n)
		}
	case "function", "fn":
		return p.closure(n)
	case "static":
		if p.word("function", "fn") {
			return p.closure(&node{line: t.line, text: p.take().text})
		}
	}
	if p.is("(") {
		n.op, n.kids = opCall, p.arguments()
		return n
	}
	n.op = opConstant
	return n
}

func (p *parser) arguments() []*node {
	p.want("(")
	list := p.array(p.peek(), ")").kids
	if slices.ContainsFunc(list, func(it *node) bool { return it.kids[1] == nil }) {
		p.fail() // f(,) is no PHP
	}
	return list
}

// array reads the items of an array, a list or a call.
func (p *parser) array(t token, end string) *node {
	n := &node{op: opArray, line: t.line}
	for p.more() && !p.is(end) {
		item := &node{op: opItem, line: p.peek().line, kids: []*node{nil, nil}}
		if p.accept(",") { // list(, $b)
			n.kids = append(n.kids, item)
			continue
		}
		if p.is("...") || p.is("&") {
			item.text = p.take().text
		}
		if item.text == "..." && p.is(end) { // f(...) makes a closure
			break
		}
		if p.peek().kind == tokenName && p.peekAt(1).text == ":" && p.peekAt(1).kind == tokenOp && end == ")" {
			item.text = "..." // a named argument
			p.take()
			p.take()
		}
		item.kids[1] = p.expr(0)
		if p.accept("=>") {
			item.kids[0], item.kids[1] = item.kids[1], p.expr(0)
		}
		n.kids = append(n.kids, item)
		if !p.accept(",") {
			break
		}
	}
	p.want(end)
	return n
}

func (p *parser) newObject(n *node) *node {
	n.op = opNew
	if p.word("class") {
		p.take()
		if p.is("(") {
			p.arguments()
		}
		p.skipBraces()
		n.text = "class"
		return n
	}
	if t := p.take(); t.kind == tokenName {
		n.text = t.text
	}
	if p.is("(") {
		n.kids = p.arguments()
	}
	return n
}

func (p *parser) match(n *node) *node {
	n.op = opMatch
	n.kids = []*node{p.condition()}
	p.want("{")
	for p.more() && !p.is("}") {
		arm := &node{op: opArm, line: p.peek().line, kids: []*node{nil}}
		for p.more() && !p.is("=>") {
			if p.acceptWord("default") {
				continue
			}
			arm.kids = append(arm.kids, p.expr(0))
			if !p.accept(",") {
				break
			}
		}
		p.want("=>")
		arm.kids[0] = p.expr(0)
		n.kids = append(n.kids, arm)
		if !p.accept(",") {
			break
		}
	}
	p.want("}")
	return n
}

// closure skips a function without a name.
func (p *parser) closure(n *node) *node {
	n.op = opClosure
	p.accept("&")
	p.parameters()
	if p.acceptWord("use") {
		p.parameters()
	}
	p.returnType()
	if p.accept("=>") {
		p.expr(3)
	} else {
		p.skipBraces()
	}
	return n
}

// postfix reads indices, properties, methods and calls of values.
func (p *parser) postfix(n *node) *node {
	for p.err == nil {
		t := p.peek()
		if t.kind != tokenOp {
			return n
		}
		switch {
		case t.text == "[" || t.text == "{" && (n.op == opVariable || n.op == opIndex) && p.curlyIndex():
			p.take()
			end := map[string]string{"[": "]", "{": "}"}[t.text]
			index := &node{op: opIndex, line: t.line, kids: []*node{n, nil}}
			if !p.is(end) {
				index.kids[1] = p.expr(0)
			}
			p.want(end)
			n = index
		case t.text == "->" || t.text == "?->" || t.text == "::":
			n = p.member(n)
		case t.text == "(" && n.op != opConstant && n.op != opText:
			n = &node{op: opCallValue, line: t.line, kids: append([]*node{n}, p.arguments()...)}
		default:
			return n
		}
	}
	return n
}

// curlyIndex reports whether $text{0} comes next, which PHP 7 took for $text[0].
func (p *parser) curlyIndex() bool {
	index := p.peekAt(1)
	return (index.kind == tokenNumber || index.kind == tokenVariable) && p.peekAt(2).kind == tokenOp && p.peekAt(2).text == "}"
}

func (p *parser) member(n *node) *node {
	t := p.take()
	name := p.take()
	if name.text == "{" {
		p.expr(0)
		p.want("}")
	}
	if name.kind == tokenName && p.is("(") {
		return &node{op: opMethod, line: t.line, text: name.text, kids: append([]*node{n}, p.arguments()...)}
	}
	if t.text == "::" {
		return &node{op: opStatic, line: t.line, text: name.text, kids: []*node{n}}
	}
	return &node{op: opProperty, line: t.line, text: name.text, kids: []*node{n}}
}
