package tomledit

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a TOML document, split into its statements.
type document struct {
	bom        []byte
	data       []byte // without the byte order mark
	statements []statement
}

// statement is a header or a pair, with its lines.
type statement struct {
	pair
	header   bool
	array    bool     // whether it is the header of an array of tables
	section  []string // the key of the header above; for a header, its own key
	from, to int      // the whole lines, with their ends
}

// pair is a key with its value, as a statement or as an element of an inline table.
type pair struct {
	key        []string // relative to the root, or for an element to its inline table
	start, end int      // from the first byte of the key to the end of the value
	value      int      // the first byte of the value
	kind       unstable.Kind
	inner      []pair // the elements of an inline table
}

// parse splits a document into its statements, and decodes it.
func parse(doc []byte) (*document, map[string]any, error) {
	d := &document{data: doc}
	if rest, ok := bytes.CutPrefix(doc, []byte(byteOrderMark)); ok {
		d.bom, d.data = []byte(byteOrderMark), rest
	}
	if len(doc) > MaxSize {
		return nil, nil, fmt.Errorf("larger than %d MiB", MaxSize>>20)
	}
	content, err := decode(d.data)
	if err != nil {
		return nil, nil, err
	}
	var p unstable.Parser
	p.Reset(d.data)
	var section []string
	for p.NextExpression() {
		s := d.statement(p.Expression(), section)
		section = s.section
		d.statements = append(d.statements, s)
	}
	if p.Error() != nil { // the statements are incomplete
		return nil, nil, d.problem(d.lastEnd(), nil, "not valid TOML to every parser: change it by hand")
	}
	return d, content, nil
}

// lastEnd returns where the last statement ends.
func (d *document) lastEnd() int {
	if n := len(d.statements); n > 0 {
		return d.statements[n-1].end
	}
	return 0
}

func decode(data []byte) (map[string]any, error) {
	content := make(map[string]any)
	if _, err := toml.Decode(string(data), &content); err != nil {
		return nil, &Error{Line: ErrorLine(data, err), What: "not valid TOML: nothing was changed"}
	}
	return content, nil
}

func (d *document) statement(e *unstable.Node, section []string) statement {
	s := statement{section: section}
	if e.Kind == unstable.KeyValue {
		s.pair = d.pair(e)
		s.key = append(slices.Clone(section), s.key...)
	} else {
		s.header, s.array = true, e.Kind == unstable.ArrayTable
		s.key, s.start, s.end = keyParts(e.Key())
		s.section = s.key
	}
	s.from = 1 + bytes.LastIndexByte(d.data[:s.start], '\n')
	s.to = d.nextLine(s.end)
	return s
}

func (d *document) pair(kv *unstable.Node) pair {
	p := pair{kind: kv.Value().Kind}
	p.key, p.start, p.value = keyParts(kv.Key())
	p.end = int(kv.Raw.Offset) + int(kv.Raw.Length)
	for d.data[p.value] != '=' {
		p.value++
	}
	for p.value++; d.data[p.value] == ' ' || d.data[p.value] == '\t'; {
		p.value++
	}
	if p.kind == unstable.InlineTable {
		for it := kv.Value().Children(); it.Next(); {
			p.inner = append(p.inner, d.pair(it.Node()))
		}
	}
	return p
}

func keyParts(it unstable.Iterator) (key []string, start, end int) {
	start = -1
	for it.Next() {
		n := it.Node()
		if start < 0 {
			start = int(n.Raw.Offset)
		}
		end = int(n.Raw.Offset) + int(n.Raw.Length)
		key = append(key, string(n.Data))
	}
	return key, start, end
}

// nextLine returns the offset of the line after the one that contains the offset at.
func (d *document) nextLine(at int) int {
	if n := bytes.IndexByte(d.data[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(d.data)
}

// newline returns the line end to write at an offset: that of the line before, or of the first
// line if there is none.
func (d *document) newline(at int) string {
	before := d.data[:at]
	if !bytes.HasSuffix(before, []byte("\n")) {
		before = d.data[:d.nextLine(0)]
	}
	if bytes.HasSuffix(before, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

func (d *document) indent(s *statement) string {
	if s.header {
		return ""
	}
	return string(d.data[s.from:s.start])
}

// insertLine inserts a line at an offset where a line begins, or after the last line.
func (d *document) insertLine(at int, text string) []byte {
	nl := d.newline(at)
	if at > 0 && d.data[at-1] != '\n' {
		return d.splice(at, at, nl+text)
	}
	return d.splice(at, at, text+nl)
}

func (d *document) splice(from, to int, text string) []byte {
	return slices.Concat(d.data[:from], []byte(text), d.data[to:])
}

func (d *document) problem(at int, key []string, what string) error {
	line := 1 + bytes.Count(d.data[:at], []byte("\n"))
	return &Error{Line: line, Key: toml.Key(key).String(), What: what}
}

// unsafe returns the error for an edit whose result would not be the requested content.
func (d *document) unsafe(key []string) error {
	at := 0
	for _, s := range d.statements {
		if hasPrefix(s.key, key) || hasPrefix(key, s.key) {
			at = s.start
			break
		}
	}
	return d.problem(at, key, "cannot be edited safely as it is written: change it by hand")
}

func hasPrefix(key, prefix []string) bool {
	return len(key) >= len(prefix) && slices.Equal(key[:len(prefix)], prefix)
}
