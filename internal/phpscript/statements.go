package phpscript

import (
	"strings"

	"mailauthd/internal/authlog"
)

func (p *parser) ifStatement(t token) *node {
	n := &node{op: opIf, line: t.line}
	cond := p.condition()
	alternative := p.is(":")
	n.kids = []*node{cond, p.body("elseif", "else", "endif"), nil}
	at := p.peek()
	switch {
	case p.acceptWord("elseif"):
		n.kids[2] = p.nested(at)
		return n // the last part takes endif
	case p.word("else") && strings.EqualFold(p.peekAt(1).text, "if") && p.peekAt(1).kind == tokenName:
		p.take()
		p.take()
		n.kids[2] = p.nested(at)
		return n
	case p.acceptWord("else"):
		n.kids[2] = p.body("endif")
	}
	if alternative {
		if !p.acceptWord("endif") {
			p.fail()
		}
		p.semicolon()
	}
	return n
}

// nested reads what follows elseif. A long chain is as deep as it is long.
func (p *parser) nested(t token) *node { return p.ifStatement(t) }

func (p *parser) whileStatement(t token) *node {
	cond := p.condition()
	return &node{op: opWhile, line: t.line, kids: []*node{cond, p.loopBody("endwhile")}}
}

func (p *parser) doStatement(t token) *node {
	body := p.statement()
	if !p.acceptWord("while") {
		p.fail()
	}
	n := &node{op: opDo, line: t.line, kids: []*node{body, p.condition()}}
	p.semicolon()
	return n
}

func (p *parser) forStatement(t token) *node {
	p.want("(")
	n := &node{op: opFor, line: t.line, kids: []*node{p.block(";"), p.block(";"), p.block(")")}}
	n.kids = append(n.kids, p.loopBody("endfor"))
	return n
}

func (p *parser) foreachStatement(t token) *node {
	n := &node{op: opForeach, line: t.line}
	p.want("(")
	subject := p.expr(0)
	if !p.acceptWord("as") {
		p.fail()
	}
	value, key := p.foreachTarget(n), (*node)(nil)
	if p.accept("=>") {
		key, value = value, p.foreachTarget(n)
	}
	p.want(")")
	n.kids = []*node{subject, key, value, p.loopBody("endforeach")}
	return n
}

func (p *parser) foreachTarget(n *node) *node {
	if p.accept("&") {
		n.text = "&"
	}
	return p.expr(0)
}

func (p *parser) switchStatement(t token) *node {
	n := &node{op: opSwitch, line: t.line, kids: []*node{p.condition()}}
	alternative := p.accept(":")
	if !alternative {
		p.want("{")
	}
	for p.more() && !p.is("}") && !p.word("endswitch") {
		if p.peek().kind == tokenHTML {
			p.take()
			continue
		}
		c := &node{op: opCase, line: p.peek().line, kids: []*node{nil}}
		if p.acceptWord("case") {
			c.kids[0] = p.expr(0)
		} else if !p.acceptWord("default") {
			p.fail()
		}
		if !p.accept(":") {
			p.want(";")
		}
		for p.more() && !p.is("}") && !p.word("case", "default", "endswitch") {
			c.kids = append(c.kids, p.statement())
		}
		n.kids = append(n.kids, c)
	}
	if p.take(); alternative {
		p.semicolon()
	}
	return n
}

func (p *parser) returnStatement(t token) *node {
	n := &node{op: opReturn, line: t.line}
	if !p.is(";") && p.peek().kind != tokenEnd {
		n.kids = []*node{p.expr(0)}
	}
	p.semicolon()
	return n
}

func (p *parser) jump(t token) *node {
	n := &node{op: opBreak, line: t.line, text: "1"}
	if strings.EqualFold(t.text, "continue") {
		n.op = opContinue
	}
	if p.peek().kind == tokenNumber {
		n.text = p.take().text
	}
	p.semicolon()
	return n
}

func (p *parser) echo(t token) *node {
	n := p.block(";")
	return &node{op: opEcho, line: t.line, kids: n.kids}
}

func (p *parser) global(t token) *node {
	n := p.block(";")
	return &node{op: opGlobal, line: t.line, kids: n.kids}
}

func (p *parser) unset(t token) *node {
	p.want("(")
	n := p.block(")")
	p.semicolon()
	return &node{op: opUnset, line: t.line, kids: n.kids}
}

func (p *parser) throw(t token) *node {
	n := &node{op: opThrow, line: t.line, kids: []*node{p.expr(0)}}
	p.semicolon()
	return n
}

// constants reads const NAME = value, as calls of define.
func (p *parser) constants(t token) *node {
	n := &node{op: opBlock, line: t.line}
	for p.err == nil {
		name := p.take()
		p.want("=")
		item := func(v *node) *node { return &node{op: opItem, line: t.line, kids: []*node{nil, v}} }
		args := []*node{item(&node{op: opText, line: name.line, text: name.text}), item(p.expr(0))}
		n.kids = append(n.kids, &node{op: opCall, line: t.line, text: "define", kids: args})
		if !p.accept(",") {
			break
		}
	}
	p.semicolon()
	return n
}

// static reads static variables as pairs of a variable and its first value.
func (p *parser) static(t token) *node {
	n := &node{op: opLocal, line: t.line}
	for p.err == nil {
		v := p.take()
		value := (*node)(nil)
		if p.accept("=") {
			value = p.expr(0)
		}
		n.kids = append(n.kids, &node{op: opVariable, line: v.line, text: v.text}, value)
		if !p.accept(",") {
			break
		}
	}
	p.semicolon()
	return n
}

// ignored skips declare, namespace and use, which do nothing to a map.
func (p *parser) ignored(t token) *node {
	for p.more() && !p.is(";") && !p.is("{") && p.peek().kind != tokenEnd {
		p.take()
	}
	p.accept(";")
	return &node{op: opBlock, line: t.line}
}

func (p *parser) function(t token) *node {
	n := &node{op: opFunction, line: t.line}
	p.accept("&")
	n.text = p.take().text
	n.kids = p.parameters()
	p.returnType()
	n.kids = append(n.kids, p.braces())
	switch name := strings.ToLower(n.text); {
	case p.err != nil:
	case p.script.functions[name] != nil:
		p.script.unread = append(p.script.unread, unread{t.line, "the function " + authlog.Escape(n.text) + " a second time"})
	default:
		p.script.functions[name] = n
	}
	return &node{op: opBlock, line: t.line}
}

func (p *parser) parameters() (list []*node) {
	p.want("(")
	for p.more() && !p.is(")") {
		list = append(list, p.parameter())
		if !p.accept(",") {
			break
		}
	}
	p.want(")")
	return list
}

func (p *parser) parameter() *node {
	n := &node{op: opItem, line: p.peek().line, kids: []*node{nil, nil}}
	for p.more() && p.peek().kind != tokenVariable {
		switch t := p.take(); t.text {
		case "&", "...":
			n.text = t.text
		case ")", ";", "{":
			p.fail()
		}
		if p.peek().kind == tokenEnd {
			p.fail()
		}
	}
	v := p.take()
	n.kids[1] = &node{op: opVariable, line: v.line, text: v.text}
	if p.accept("=") {
		n.kids[0] = p.expr(0)
	}
	return n
}

func (p *parser) returnType() {
	if !p.accept(":") {
		return
	}
	for p.peek().kind == tokenName || p.is("?") || p.is("|") {
		p.take()
	}
}

// class skips a class. Its methods are not read.
func (p *parser) class(t token) *node {
	name := ""
	for p.more() && !p.is("{") && p.peek().kind != tokenEnd {
		if p.take(); name == "" && p.peek().kind == tokenName {
			name = p.peek().text
		}
	}
	p.skipBraces()
	p.script.classes[strings.ToLower(name)] = t.line
	return &node{op: opClass, line: t.line, text: name}
}

// skipBraces skips from an opening brace to the one that closes it.
func (p *parser) skipBraces() {
	depth := 0
	for p.err == nil {
		switch t := p.take(); {
		case t.kind == tokenEnd:
			p.fail()
		case t.kind == tokenOp && t.text == "{":
			depth++
		case t.kind == tokenOp && t.text == "}":
			if depth--; depth <= 0 {
				return
			}
		}
	}
}

func (p *parser) try(t token) *node {
	n := &node{op: opTry, line: t.line, kids: []*node{p.braces()}}
	for p.more() && p.word("catch", "finally") {
		if strings.EqualFold(p.take().text, "catch") {
			p.want("(")
			for p.more() && !p.is(")") {
				if v := p.take(); v.kind == tokenVariable {
					n.text = v.text
				} else if v.kind == tokenEnd {
					p.fail()
				}
			}
			p.want(")")
			n.kids = append(n.kids, p.braces())
			continue
		}
		n.kids = append(n.kids, &node{op: opCase, line: t.line, kids: []*node{p.braces()}}) // finally
	}
	return n
}
