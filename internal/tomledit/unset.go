package tomledit

import (
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Unset removes a key of a table with its lines. It returns a document without that key
// unchanged.
func Unset(doc []byte, table []string, key string) ([]byte, error) {
	d, want, err := parse(doc)
	if err != nil {
		return nil, err
	}
	path := append(slices.Clone(table), key)
	cut, err := d.cutKey(path)
	if err != nil || cut.to == 0 {
		return doc, err
	}
	out := d.without([]span{cut})
	take(want, path)
	if _, got, err := parse(out); err != nil || !equal(got, want) {
		return nil, d.unsafe(path)
	}
	return append(d.bom, out...), nil
}

// cutKey returns the span to remove for a key. The span is empty if there is no such key.
func (d *document) cutKey(path []string) (span, error) {
	for i := range d.statements {
		s := &d.statements[i]
		switch {
		case s.array && hasPrefix(path, s.key):
			return span{}, d.problem(s.start, s.key, "is an array of tables: change it by hand")
		case s.header:
		case slices.Equal(s.key, path):
			return span{s.from, s.to}, nil
		case hasPrefix(path, s.key):
			return d.cutInlineKey(&s.pair, path, len(s.key))
		}
	}
	return span{}, nil
}

// cutInlineKey is cutKey for a key in an inline table. The first n parts of the path are the key
// of the inline table.
func (d *document) cutInlineKey(p *pair, path []string, n int) (span, error) {
	if p.kind != unstable.InlineTable {
		return span{}, d.problem(p.start, path[:n], "is not a table")
	}
	rest := path[n:]
	for i := range p.inner {
		q := &p.inner[i]
		switch {
		case slices.Equal(q.key, rest):
			return d.element(p, i)
		case hasPrefix(rest, q.key):
			return d.cutInlineKey(q, path, n+len(q.key))
		}
	}
	return span{}, nil
}

// take removes a key from decoded content, and keeps the tables above it.
func take(content map[string]any, path []string) {
	for _, part := range path[:len(path)-1] {
		inner, ok := content[part].(map[string]any)
		if !ok {
			return
		}
		content = inner
	}
	delete(content, path[len(path)-1])
}
