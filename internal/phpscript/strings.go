package phpscript

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// single reads a string in single quotes.
func (l *lexer) single() error {
	var b strings.Builder
	for i := l.pos + 1; i < len(l.src); i++ {
		c := l.src[i]
		if c == '\'' {
			l.add(tokenText, b.String())
			l.take(i + 1 - l.pos)
			return nil
		}
		if c == '\\' && i+1 < len(l.src) && (l.src[i+1] == '\'' || l.src[i+1] == '\\') {
			i++
			c = l.src[i]
		}
		b.WriteByte(c)
	}
	return l.unended("a string")
}

// double reads a string in double quotes or backquotes. The latter is a command of the shell.
func (l *lexer) double(quote byte) error {
	end := templateEnd(l.src, l.pos+1, quote)
	if end < 0 {
		return l.unended("a string")
	}
	body := l.src[l.pos+1 : end]
	if quote == '`' {
		l.add(tokenName, "shell_exec")
		l.add(tokenOp, "(")
		l.add(tokenTemplate, body)
		l.add(tokenOp, ")")
	} else {
		l.add(tokenTemplate, body)
	}
	l.take(end + 1 - l.pos)
	return nil
}

// templateEnd finds the quote that ends a string, outside of braces.
func templateEnd(src string, i int, quote byte) int {
	for ; i < len(src); i++ {
		switch {
		case src[i] == '\\':
			i++
		case src[i] == quote:
			return i
		case src[i] == '{' && strings.HasPrefix(src[i+1:], "$"):
			if end := braceEnd(src, i+1); end > 0 {
				i = end
			}
		}
	}
	return -1
}

// braceEnd finds the brace that closes one before i, or returns -1.
func braceEnd(src string, i int) int {
	depth := 1
	for ; i < len(src); i++ {
		switch c := src[i]; c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		case '\'', '"':
			for i++; i < len(src) && src[i] != c; i++ {
				if src[i] == '\\' {
					i++
				}
			}
		}
	}
	return -1
}

// heredoc reads <<<NAME … NAME, also with quotes around the first NAME.
func (l *lexer) heredoc() error {
	rest := l.src[l.pos+3:]
	eol := strings.IndexByte(rest, '\n')
	if eol < 0 {
		return l.unended("a heredoc")
	}
	mark := strings.TrimSpace(rest[:eol])
	raw := strings.HasPrefix(mark, "'")
	mark = strings.Trim(mark, `'"`)
	if mark == "" || strings.Trim(mark, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		l.op() // a shift, or nothing that PHP knows
		return nil
	}
	l.take(3)
	start := l.pos + eol + 1
	for at := start; at <= len(l.src); {
		line := l.src[at:]
		next := strings.IndexByte(line, '\n') + 1
		if next > 0 {
			line = line[:next]
		}
		trimmed := strings.TrimLeft(line, " \t")
		if after, ok := strings.CutPrefix(trimmed, mark); ok && (after == "" || !isNameStart(after[0]) && !isDigit(after[0])) {
			body := strings.TrimSuffix(l.src[start:at], "\n")
			body = unindent(strings.TrimSuffix(body, "\r"), line[:len(line)-len(trimmed)])
			if raw {
				l.add(tokenText, body)
			} else {
				l.add(tokenTemplate, body)
			}
			l.take(at + len(line) - len(after) - l.pos)
			return nil
		}
		if next == 0 {
			break
		}
		at += next
	}
	return l.unended("a heredoc")
}

func unindent(body, indent string) string {
	if indent == "" {
		return body
	}
	return strings.ReplaceAll(strings.TrimPrefix(body, indent), "\n"+indent, "\n")
}

// unescape decodes what stands in double quotes.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		n := unescapeOne(&b, s[i+1:])
		s = s[i+1+n:]
	}
	return b.String()
}

// unescapeOne writes what stands for a backslash and s, and returns how many bytes of s that took.
func unescapeOne(b *strings.Builder, s string) int {
	const plain, meant = "nrtvef\\$\"", "\n\r\t\v\x1b\f\\$\""
	if i := strings.IndexByte(plain, s[0]); i >= 0 {
		b.WriteByte(meant[i])
		return 1
	}
	switch c := s[0]; {
	case '0' <= c && c <= '7':
		n := 1
		for n < 3 && n < len(s) && '0' <= s[n] && s[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[:n], 8, 16)
		b.WriteByte(byte(v))
		return n
	case c == 'x':
		n := 1
		for n < 3 && n < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
			n++
		}
		if v, err := strconv.ParseUint(s[1:n], 16, 8); err == nil {
			b.WriteByte(byte(v))
			return n
		}
	case strings.HasPrefix(s, "u{"):
		if end := strings.IndexByte(s, '}'); end > 0 {
			if v, err := strconv.ParseUint(s[2:end], 16, 21); err == nil && utf8.ValidRune(rune(v)) {
				b.WriteRune(rune(v))
				return end + 1
			}
		}
	}
	b.WriteByte('\\')
	return 0
}

// templateNode makes an expression of a string with variables in it.
func (p *parser) templateNode(t token) *node {
	n := &node{op: opTemplate, line: t.line}
	s, line := t.text, t.line
	text := func(part string) {
		if part != "" {
			n.kids = append(n.kids, &node{op: opText, line: line, text: unescape(part)})
		}
		line += strings.Count(part, "\n")
	}
	start := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			i++
			continue
		}
		length, kid := 0, (*node)(nil)
		switch {
		case s[i] == '{' && strings.HasPrefix(s[i+1:], "$"):
			if end := braceEnd(s, i+1); end > 0 {
				length, kid = end+1-i, p.inner(s[i+1:end], line+strings.Count(s[start:i], "\n"))
			}
		case s[i] == '$' && strings.HasPrefix(s[i+1:], "{"):
			if end := braceEnd(s, i+2); end > 0 {
				length, kid = end+1-i, p.inner("$"+s[i+2:end], line+strings.Count(s[start:i], "\n"))
			}
		case s[i] == '$':
			length, kid = simpleVariable(s[i:], line+strings.Count(s[start:i], "\n"))
		}
		if length > 0 {
			text(s[start:i])
			n.kids = append(n.kids, kid)
			line += strings.Count(s[i:i+length], "\n")
			start, i = i+length, i+length-1
		}
	}
	text(s[start:])
	if len(n.kids) == 0 {
		return &node{op: opText, line: t.line}
	}
	if len(n.kids) == 1 && n.kids[0].op == opText {
		n.kids[0].line = t.line
		return n.kids[0]
	}
	return n
}

// inner parses an expression in a string.
func (p *parser) inner(src string, line int) *node {
	tokens, err := tokenizeCode(src, line)
	if err != nil {
		return &node{op: opUnread, line: line, text: "this string"}
	}
	q := &parser{tokens: tokens, depth: p.depth, script: p.script}
	n := q.expr(0)
	if q.err != nil || q.peek().kind != tokenEnd {
		return &node{op: opUnread, line: line, text: "this string"}
	}
	return n
}

// simpleVariable reads $name, $name[key] and $name->property in a string.
func simpleVariable(s string, line int) (int, *node) {
	l := &lexer{src: s, pos: 1, line: line}
	name := ""
	if len(s) > 1 && isNameStart(s[1]) {
		name = l.word()
	}
	if name == "" {
		return 0, nil
	}
	n := &node{op: opVariable, line: line, text: name}
	if l.ahead("->") && len(s) > l.pos+2 && isNameStart(s[l.pos+2]) {
		l.take(2)
		l.word()
		return l.pos, &node{op: opProperty, line: line, kids: []*node{n}}
	}
	if !l.ahead("[") {
		return l.pos, n
	}
	end := strings.IndexByte(s[l.pos:], ']')
	if end < 0 {
		return l.pos, n
	}
	key := strings.Trim(s[l.pos+1:l.pos+end], `'`)
	k := &node{op: opText, line: line, text: key}
	if strings.HasPrefix(key, "$") {
		k = &node{op: opVariable, line: line, text: key[1:]}
	}
	return l.pos + end + 1, &node{op: opIndex, line: line, kids: []*node{n, k}}
}
