package phpscript

import (
	"fmt"
	"strings"
)

// Limits of what is read of a script.
const (
	MaxScript = 1 << 20 // bytes
	maxTokens = 300_000
)

type tokenKind uint8

const (
	tokenEnd      tokenKind = iota
	tokenHTML               // text outside of <?php … ?>
	tokenVariable           // its name without "$"
	tokenName               // a keyword, function, class or constant
	tokenNumber
	tokenText     // a string without variables, decoded
	tokenTemplate // the inside of a string that may have variables, as it is written
	tokenOp
)

type token struct {
	kind tokenKind
	text string
	line int
}

// phpOps has the operators of more than one character, longer ones first.
var phpOps = []string{
	"<<=", ">>=", "===", "!==", "<=>", "**=", "...", "??=", "?->",
	"==", "!=", "<>", "<=", ">=", "&&", "||", "??", "++", "--", "+=", "-=", "*=", "/=", ".=", "%=", "&=", "|=", "^=",
	"->", "=>", "::", "<<", ">>", "**",
}

type lexer struct {
	src    string
	pos    int
	line   int
	tokens []token
}

// tokenize splits a script into tokens. The error has the line from which on nothing was understood.
func tokenize(src string) ([]token, error) {
	l := &lexer{src: src, line: 1}
	l.html()
	return l.rest()
}

// tokenizeCode is tokenize for what stands in a string between braces.
func tokenizeCode(src string, line int) ([]token, error) {
	l := &lexer{src: src, line: line}
	return l.rest()
}

func (l *lexer) rest() ([]token, error) {
	for l.pos < len(l.src) {
		if err := l.next(); err != nil {
			return nil, err
		}
		if len(l.tokens) > maxTokens {
			return nil, &lineError{l.line, fmt.Sprintf("the script has more than %d tokens, which is more than this command reads", maxTokens)}
		}
	}
	l.add(tokenEnd, "")
	return l.tokens, nil
}

// lineError is what is wrong with a line of the script.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return e.text }

func (l *lexer) add(kind tokenKind, text string) {
	l.tokens = append(l.tokens, token{kind, text, l.line})
}

// take moves on by n bytes, and counts lines.
func (l *lexer) take(n int) string {
	s := l.src[l.pos : l.pos+n]
	l.pos += n
	l.line += strings.Count(s, "\n")
	return s
}

func (l *lexer) ahead(prefix string) bool { return strings.HasPrefix(l.src[l.pos:], prefix) }

// html skips what is outside of PHP tags.
func (l *lexer) html() {
	at := l.pos
	for {
		i := strings.Index(l.src[at:], "<?")
		if i < 0 {
			l.add(tokenHTML, l.take(len(l.src)-l.pos))
			return
		}
		at += i
		rest := l.src[at+2:]
		tag := 2
		switch {
		case len(rest) >= 3 && strings.EqualFold(rest[:3], "php"):
			tag = 5
		case strings.HasPrefix(rest, "="):
			tag = 3
		case rest != "" && !strings.ContainsAny(rest[:1], " \t\r\n"):
			at += 2 // such as <?xml
			continue
		}
		l.add(tokenHTML, l.take(at-l.pos))
		l.take(tag)
		if tag == 3 {
			l.add(tokenName, "echo")
		}
		return
	}
}

func (l *lexer) next() error {
	c := l.src[l.pos]
	switch {
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		l.take(1)
	case l.ahead("?>"):
		l.add(tokenOp, ";")
		l.take(2)
		l.html()
	case l.attribute() > 0:
		l.take(l.attribute())
	case c == '#' || l.ahead("//"):
		l.lineComment()
	case l.ahead("/*"):
		return l.until("*/", "a comment")
	case c == '$' && l.pos+1 < len(l.src) && isNameStart(l.src[l.pos+1]):
		l.take(1)
		l.add(tokenVariable, l.word())
	case isNameStart(c) || c == '\\':
		l.name()
	case isDigit(c) || c == '.' && l.pos+1 < len(l.src) && isDigit(l.src[l.pos+1]):
		l.number()
	case c == '\'':
		return l.single()
	case c == '"' || c == '`':
		return l.double(c)
	case l.ahead("<<<"):
		return l.heredoc()
	default:
		l.op()
	}
	return nil
}

// attribute returns the length of an attribute such as #[SensitiveParameter], which PHP 7 took for a comment.
func (l *lexer) attribute() int {
	rest := l.src[l.pos:]
	if !strings.HasPrefix(rest, "#[") || len(rest) < 3 || rest[2] != '\\' && (rest[2] < 'A' || rest[2] > 'Z') {
		return 0
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.IndexByte(line, ']') + 1
}

func (l *lexer) lineComment() {
	rest := l.src[l.pos:]
	end := strings.IndexByte(rest, '\n')
	if end < 0 {
		end = len(rest)
	}
	if tag := strings.Index(rest[:end], "?>"); tag >= 0 {
		end = tag
	}
	l.take(end)
}

func (l *lexer) until(end, what string) error {
	i := strings.Index(l.src[l.pos+2:], end)
	if i < 0 {
		return l.unended(what)
	}
	l.take(2 + i + len(end))
	return nil
}

func (l *lexer) unended(what string) error {
	return &lineError{l.line, what + " that begins here does not end"}
}

func isNameStart(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c >= 0x80
}

func (l *lexer) word() string {
	n := 0
	for l.pos+n < len(l.src) && (isNameStart(l.src[l.pos+n]) || isDigit(l.src[l.pos+n])) {
		n++
	}
	return l.take(n)
}

// name reads a name with its namespace, of which only the last part counts.
func (l *lexer) name() {
	name := ""
	for {
		if l.ahead(`\`) {
			l.take(1)
		}
		name = l.word()
		if !l.ahead(`\`) {
			break
		}
	}
	l.add(tokenName, name)
}

func (l *lexer) number() {
	n := 0
	for l.pos+n < len(l.src) {
		c := l.src[l.pos+n]
		if !isDigit(c) && !isNameStart(c) && (c != '.' || l.pos+n+1 >= len(l.src) || !isDigit(l.src[l.pos+n+1])) {
			break
		}
		n++
	}
	l.add(tokenNumber, strings.ReplaceAll(l.take(n), "_", ""))
}

func (l *lexer) op() {
	for _, op := range phpOps {
		if l.ahead(op) {
			l.add(tokenOp, l.take(len(op)))
			return
		}
	}
	l.add(tokenOp, l.take(1))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
