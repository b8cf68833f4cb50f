package tomledit

import (
	"bytes"
	"strings"

	"github.com/BurntSushi/toml"
)

// Table is a table to add to a document.
type Table struct {
	Path []string
	Keys []KeyValue
}

// KeyValue is one key of a table. The value is a TOML literal.
type KeyValue struct{ Key, Value string }

// Append adds new tables at the end of a document. It returns an error if one of them exists.
func Append(doc []byte, tables []Table) ([]byte, error) {
	if len(tables) == 0 {
		return doc, nil
	}
	return edit(doc, tables, func(d *document) ([]byte, error) {
		there, closed := make(map[string]int), make(map[string]bool)
		for _, s := range d.statements {
			closed[toml.Key(s.key).String()] = !s.header
			for n := range s.key {
				if name := toml.Key(s.key[:n+1]).String(); there[name] == 0 {
					there[name] = s.start + 1
				}
			}
		}
		for _, t := range tables {
			name := toml.Key(t.Path).String()
			if at := there[name]; at > 0 || len(t.Path) == 0 {
				return nil, d.problem(max(at-1, 0), t.Path, "is there already")
			}
			for n := range t.Path { // BurntSushi/toml would let a header add to an inline table
				if closed[toml.Key(t.Path[:n]).String()] {
					return nil, d.unsafe(t.Path)
				}
			}
			there[name] = len(d.data) + 1
		}
		return d.appendTables(tables), nil
	})
}

// appendTables adds tables at the end of the document. If the document does not end with a
// newline, neither does the result.
func (d *document) appendTables(tables []Table) []byte {
	end := len(d.data)
	nl := d.newline(end)
	var b strings.Builder
	complete := end == 0 || d.data[end-1] == '\n'
	if !complete {
		b.WriteString(nl)
	}
	for i, t := range tables {
		if i > 0 || !d.endsBlank() {
			b.WriteString(nl)
		}
		b.WriteString("[" + toml.Key(t.Path).String() + "]" + nl)
		for _, kv := range t.Keys {
			b.WriteString(toml.Key{kv.Key}.String() + " = " + kv.Value + nl)
		}
	}
	text := b.String()
	if !complete {
		text = strings.TrimSuffix(text, nl)
	}
	return d.splice(end, end, text)
}

// endsBlank reports whether the document is empty or ends with a blank line.
func (d *document) endsBlank() bool {
	rest, ok := bytes.CutSuffix(d.data, []byte("\n"))
	rest = bytes.TrimSuffix(rest, []byte("\r"))
	return len(rest) == 0 || ok && rest[len(rest)-1] == '\n'
}
