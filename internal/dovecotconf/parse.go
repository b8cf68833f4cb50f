package dovecotconf

import (
	"strings"
	"unicode/utf8"
)

const maxDepth = 16 // the largest number of blocks within blocks

// setting is one "key = value".
type setting struct {
	key, value string
	line       int
}

// block is what stands between braces, or a whole file.
type block struct {
	kind, name string // "passdb" and "sql" of "passdb sql {"
	line       int
	settings   []setting
	blocks     []*block
}

// all returns the blocks of a kind.
func (b *block) all(kind string) (list []*block) {
	for _, inner := range b.blocks {
		if inner.kind == kind {
			list = append(list, inner)
		}
	}
	return list
}

// value returns the value of a key, the last one if there are several.
func (b *block) value(key string) (value string) {
	for _, s := range b.settings {
		if s.key == key {
			value = s.value
		}
	}
	return value
}

// parser reads lines as settings_read of Dovecot does.
type parser struct {
	open     []*block // the file, and the blocks that are not closed yet
	findings *findings
}

// parse reads a file. What it does not understand is told.
func parse(text string, f *findings) *block {
	root := &block{}
	p := &parser{open: []*block{root}, findings: f}
	joined, first, n := "", 0, 0
	for raw := range strings.Lines(text) {
		n++
		line := p.uncommented(strings.TrimRight(raw, "\r\n"), n)
		if line == "" {
			continue
		}
		if joined == "" {
			first = n
		}
		if more, ok := strings.CutSuffix(line, `\`); ok {
			joined += strings.TrimRight(more, " \t") + " "
			continue
		}
		p.statement(joined+line, first)
		joined = ""
	}
	if joined != "" {
		p.statement(joined, first)
	}
	if last := p.open[len(p.open)-1]; last != root {
		f.tell(last.line, "this block is not closed: want a line with }")
	}
	return root
}

// uncommented returns a line without its comment. A # begins one everywhere but in quotes.
func (p *parser) uncommented(line string, n int) string {
	line = strings.Trim(line, " \t")
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '\'', '"':
			for i++; i < len(line) && line[i] != c; i++ {
				if line[i] == '\\' {
					i++
				}
			}
		case '#':
			if i > 0 && line[i-1] != ' ' && line[i-1] != '\t' {
				p.findings.warn(n, "Dovecot takes the # for the beginning of a comment, although no space is before it: so does this")
			}
			return strings.TrimRight(line[:i], " \t")
		}
	}
	return line
}

// statement reads a line without its comment and with those that it is continued by.
func (p *parser) statement(s string, line int) {
	b := p.open[len(p.open)-1]
	end := strings.IndexAny(s, " \t=")
	if end < 0 {
		end = len(s)
	}
	key, rest := s[:end], strings.TrimLeft(s[end:], " \t")
	switch {
	case key == "!include", key == "!include_try":
		p.findings.tell(line, "the included file is not read: run the command on it as well, or put its text here")
	case !utf8.ValidString(s):
		p.findings.tell(line, "not UTF-8: left out")
	case strings.HasPrefix(rest, "="):
		b.settings = append(b.settings, setting{key, unquote(strings.TrimLeft(rest[1:], " \t")), line})
	case s == "}" && len(p.open) > 1:
		p.open = p.open[:len(p.open)-1]
	case strings.HasSuffix(s, "{"):
		if len(p.open) > maxDepth {
			p.findings.tell(line, "more than %d blocks within blocks", maxDepth)
			return
		}
		kind, name, _ := strings.Cut(strings.Trim(strings.TrimSuffix(s, "{"), " \t"), " ")
		inner := &block{kind: kind, name: unquote(strings.Trim(name, " \t")), line: line}
		b.blocks = append(b.blocks, inner)
		p.open = append(p.open, inner)
	default:
		p.findings.tell(line, "neither a setting, such as key = value, nor a block: left out")
	}
}

// unquote removes quotes around a value, and then backslashes in it.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '"' && s[0] != '\'' {
		return s
	}
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
