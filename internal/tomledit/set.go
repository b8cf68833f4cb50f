package tomledit

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// MaxSize is the largest size of a document in bytes. The parser counts bytes in 32 bits.
const MaxSize = 1 << 30

// Error is the reason why a document cannot be edited.
type Error struct {
	Line int
	Key  string // the dotted key; empty if the problem is the document
	What string
}

func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.What)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Key, e.What)
}

// Set sets a key of a table to a value, which is a TOML literal such as `"x"` or `["a", "b"]`.
// The table is the path from the root; an empty table is the root itself.
func Set(doc []byte, table []string, key, value string) ([]byte, error) {
	changed := Table{Path: table, Keys: []KeyValue{{key, value}}}
	return edit(doc, []Table{changed}, func(d *document) ([]byte, error) {
		path := append(slices.Clone(table), key)
		out, err := d.replace(path, value)
		if out == nil && err == nil {
			out, err = d.add(changed)
		}
		return out, err
	})
}

// replace replaces the value of a key, or adds the key to the inline table that it belongs to.
// It returns nil if there is neither.
func (d *document) replace(path []string, value string) ([]byte, error) {
	for i := range d.statements {
		s := &d.statements[i]
		switch {
		case s.array && hasPrefix(path, s.key):
			return nil, d.problem(s.start, s.key, "is an array of tables: change it by hand")
		case s.header && hasPrefix(s.key, path):
			return nil, d.problem(s.start, path, "is a table, which a value cannot replace: delete it first")
		case !s.header && hasPrefix(path, s.key):
			return d.replaceIn(&s.pair, path, len(s.key), value)
		case !s.header && hasPrefix(s.key, path):
			return nil, d.problem(s.start, path, "is a table of dotted keys, which a value cannot replace: delete it first")
		}
	}
	return nil, nil
}

// replaceIn replaces the value of a pair, or a value within it. The first n parts of the path
// are the key of the pair.
func (d *document) replaceIn(p *pair, path []string, n int, value string) ([]byte, error) {
	if n == len(path) {
		if d.holdsComment(p) {
			return nil, d.problem(p.start, path, "holds a comment, which would be lost: change it by hand")
		}
		return d.splice(p.value, p.end, value), nil
	}
	if p.kind != unstable.InlineTable {
		return nil, d.problem(p.start, path[:n], "is not a table: change it by hand")
	}
	rest := path[n:]
	for i := range p.inner {
		q := &p.inner[i]
		switch {
		case hasPrefix(rest, q.key):
			return d.replaceIn(q, path, n+len(q.key), value)
		case hasPrefix(q.key, rest):
			return nil, d.problem(q.start, path, "is a table of dotted keys: change it by hand")
		}
	}
	text := toml.Key(rest).String() + " = " + value
	if last := len(p.inner) - 1; last >= 0 {
		at := p.inner[last].end
		return d.splice(at, at, ", "+text), nil
	}
	at := p.value + len("{")
	if d.data[at] == '}' {
		text += " "
	}
	return d.splice(at, at, " "+text), nil
}

// holdsComment reports whether the value is an array with a comment between its elements.
func (d *document) holdsComment(p *pair) bool {
	value := d.data[p.value:p.end]
	if p.kind != unstable.Array || !bytes.ContainsRune(value, '#') {
		return false
	}
	parser := unstable.Parser{KeepComments: true}
	parser.Reset(append([]byte("v = "), value...))
	return parser.NextExpression() && hasCommentNode(parser.Expression().Value())
}

func hasCommentNode(n *unstable.Node) bool {
	if n.Kind == unstable.Comment {
		return true
	}
	for it := n.Children(); it.Next(); {
		if hasCommentNode(it.Node()) {
			return true
		}
	}
	return false
}

// add adds a new key below the last key of its table.
func (d *document) add(t Table) ([]byte, error) {
	key, value := t.Keys[0].Key, t.Keys[0].Value
	if last := d.lastOf(t.Path); last != nil {
		name := append(slices.Clone(t.Path[len(last.section):]), key)
		return d.insertLine(last.to, d.indent(last)+toml.Key(name).String()+" = "+value), nil
	}
	if len(t.Path) == 0 {
		return d.insertLine(0, toml.Key{key}.String()+" = "+value), nil
	}
	return d.appendTables([]Table{t}), nil
}

// lastOf returns the last statement of a table. It returns nil if the table has no statement of
// its own, because it does not exist or has only subtables.
func (d *document) lastOf(table []string) *statement {
	var last *statement
	for i := range d.statements {
		s := &d.statements[i]
		own := slices.Equal(s.section, table)
		if own || !s.header && len(s.section) < len(table) && hasPrefix(s.key, table) {
			last = s
		}
	}
	return last
}

// edit applies a change that adds tables to a document or sets keys of them. It checks the keys
// and values before, and the content of the result after the change.
func edit(doc []byte, tables []Table, change func(*document) ([]byte, error)) ([]byte, error) {
	values, err := decodeValues(tables)
	if err != nil {
		return nil, err
	}
	d, old, err := parse(doc)
	if err != nil {
		return nil, err
	}
	out, err := change(d)
	if err != nil {
		return nil, err
	}
	for i, t := range tables {
		for j, kv := range t.Keys {
			if !put(old, t.Path, kv.Key, values[i][j]) {
				return nil, d.unsafe(t.Path)
			}
		}
	}
	if _, got, err := parse(out); err != nil || !equal(got, old) {
		return nil, d.unsafe(tables[0].Path)
	}
	return append(d.bom, out...), nil
}
