package phpscript

import (
	"slices"
	"strings"
)

// maxDepth is how deep statements and expressions may be nested.
const maxDepth = 150

// parser turns tokens into a tree. Once err is set, every read is at the end.
type parser struct {
	tokens []token
	pos    int
	depth  int
	err    *lineError
	script *script
}

// parseScript reads a whole script. What it does not understand becomes opUnread.
func parseScript(tokens []token) *script {
	s := &script{functions: make(map[string]*node), classes: make(map[string]int), assigned: make(map[string]int)}
	p := &parser{tokens: tokens, script: s}
	s.body = &node{op: opBlock}
	for p.peek().kind != tokenEnd {
		s.body.kids = append(s.body.kids, p.statement())
	}
	count := func(name string) { s.assigned[name]++ }
	s.body.targets(count)
	for _, f := range s.functions {
		f.targets(count)
	}
	return s
}

func (p *parser) peek() token { return p.peekAt(0) }

func (p *parser) peekAt(n int) token {
	if p.err != nil || p.pos+n >= len(p.tokens) {
		return token{kind: tokenEnd, line: p.tokens[len(p.tokens)-1].line}
	}
	return p.tokens[p.pos+n]
}

func (p *parser) take() token {
	t := p.peek()
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

// more reports whether there is more to read.
func (p *parser) more() bool { return p.peek().kind != tokenEnd }

// is reports whether an operator comes next.
func (p *parser) is(op string) bool {
	t := p.peek()
	return t.kind == tokenOp && t.text == op
}

// word reports whether one of the keywords comes next.
func (p *parser) word(keywords ...string) bool {
	t := p.peek()
	return t.kind == tokenName && slices.ContainsFunc(keywords, func(k string) bool { return strings.EqualFold(t.text, k) })
}

func (p *parser) accept(op string) bool {
	if p.is(op) {
		p.take()
		return true
	}
	return false
}

func (p *parser) acceptWord(keyword string) bool {
	if p.word(keyword) {
		p.take()
		return true
	}
	return false
}

func (p *parser) want(op string) {
	if !p.accept(op) {
		p.fail()
	}
}

// fail notes that the next token cannot stand there.
func (p *parser) fail() {
	if p.err == nil {
		p.err = &lineError{line: p.peek().line, text: "statement"}
	}
}

// deeper guards a recursion. The caller calls the result when it is done.
func (p *parser) deeper() func() {
	if p.depth++; p.depth > maxDepth {
		p.fail()
	}
	return func() { p.depth-- }
}

// statement reads one statement. If it cannot be read, everything up to its end is one unread node.
func (p *parser) statement() *node {
	start, depth := p.pos, p.depth
	n := p.readStatement()
	if p.err == nil {
		return n
	}
	bad := p.err
	p.err, p.pos, p.depth = nil, start, depth
	p.skipStatement()
	n = &node{op: opUnread, line: bad.line, text: "a statement that this command cannot read"}
	p.script.unread = append(p.script.unread, unread{n.line, n.text})
	return n
}

// skipStatement moves behind a semicolon or a closing brace that is outside of all others.
func (p *parser) skipStatement() {
	depth := 0
	for p.peek().kind != tokenEnd {
		if depth == 0 && p.is("}") && p.depth > 0 {
			return // it closes the block around the statement
		}
		t := p.take()
		if t.kind != tokenOp {
			continue
		}
		switch t.text {
		case "{", "(", "[":
			depth++
		case "}", ")", "]":
			depth--
			if depth <= 0 && t.text == "}" && !p.word("else", "elseif", "catch", "finally", "while") {
				return
			}
		case ";":
			if depth <= 0 {
				return
			}
		}
	}
}

func (p *parser) readStatement() *node {
	defer p.deeper()()
	t := p.peek()
	switch {
	case t.kind == tokenHTML:
		p.take()
		return &node{op: opBlock, line: t.line}
	case p.is("{"):
		return p.braces()
	case p.accept(";"):
		return &node{op: opBlock, line: t.line}
	case t.kind == tokenName:
		if n := p.keyword(t); n != nil {
			return n
		}
	case t.kind == tokenEnd:
		p.fail()
	}
	n := p.expr(0)
	p.semicolon()
	return n
}

func (p *parser) semicolon() {
	if p.peek().kind != tokenEnd || p.err != nil {
		p.want(";")
	}
}

func (p *parser) braces() *node {
	n := &node{op: opBlock, line: p.peek().line}
	p.want("{")
	for p.more() && !p.is("}") {
		n.kids = append(n.kids, p.statement())
	}
	p.want("}")
	return n
}

// keyword reads a statement that begins with a keyword, or returns nil.
func (p *parser) keyword(t token) *node {
	word := strings.ToLower(t.text)
	simple := map[string]func(token) *node{
		"if": p.ifStatement, "while": p.whileStatement, "do": p.doStatement, "for": p.forStatement,
		"foreach": p.foreachStatement, "switch": p.switchStatement, "return": p.returnStatement,
		"break": p.jump, "continue": p.jump, "echo": p.echo, "global": p.global, "const": p.constants,
		"try": p.try, "unset": p.unset, "throw": p.throw,
		"declare": p.ignored, "namespace": p.ignored, "use": p.ignored,
	}
	if read := simple[word]; read != nil {
		p.take()
		return read(t)
	}
	after := p.peekAt(1)
	switch {
	case word == "static" && after.kind == tokenVariable:
		p.take()
		return p.static(t)
	case word == "function" && (after.kind == tokenName || after.text == "&" && p.peekAt(2).kind == tokenName):
		p.take()
		return p.function(t)
	case slices.Contains([]string{"class", "interface", "trait", "abstract", "final", "enum", "readonly"}, word) && after.kind == tokenName:
		return p.class(t)
	}
	return nil
}

// body reads a statement, or several between ":" and one of the keywords, which it leaves there.
func (p *parser) body(ends ...string) *node {
	if !p.is(":") {
		return p.statement()
	}
	n := &node{op: opBlock, line: p.take().line}
	for p.more() && !p.is("}") && !p.word(ends...) {
		n.kids = append(n.kids, p.statement())
	}
	return n
}

// loopBody reads the body of a loop, also one that ends with a keyword such as endwhile.
func (p *parser) loopBody(end string) *node {
	alternative := p.is(":")
	n := p.body(end)
	if alternative {
		p.take()
		p.semicolon()
	}
	return n
}

func (p *parser) condition() *node {
	if !p.is("(") {
		return p.expr(0) // no PHP, but it occurs in nginx's sample
	}
	p.take()
	n := p.expr(0)
	p.want(")")
	return n
}

// block makes a block of the expressions up to an operator, which it takes.
func (p *parser) block(end string) *node {
	n := &node{op: opBlock, line: p.peek().line}
	for p.more() && !p.is(end) {
		n.kids = append(n.kids, p.expr(0))
		if !p.accept(",") {
			break
		}
	}
	p.want(end)
	return n
}
