package tomledit

import (
	"bytes"
	"fmt"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Delete removes a table with its subtables. It returns an error if there is no such table.
func Delete(doc []byte, table []string) ([]byte, error) {
	if len(table) == 0 {
		return nil, fmt.Errorf("empty table name")
	}
	d, old, err := parse(doc)
	if err != nil {
		return nil, err
	}
	first, got := d, old
	for {
		cuts, err := d.cuts(table)
		if err != nil {
			return nil, err
		}
		if len(cuts) == 0 {
			break
		}
		if d, got, err = parse(d.without(cuts)); err != nil {
			return nil, first.unsafe(table)
		}
	}
	if d == first {
		return nil, fmt.Errorf("no table %s", toml.Key(table).String())
	}
	remove(old, table)
	remove(got, table) // the empty tables above, as for old
	if !equal(got, old) {
		return nil, first.unsafe(table)
	}
	return append(first.bom, d.data...), nil
}

// span is a range of bytes of a document: from the offset from to just before the offset to.
type span struct{ from, to int }

// cuts returns the spans of a table, in the order of the document. It returns at most one
// element of an inline table, because removing it changes the separators of the others.
func (d *document) cuts(table []string) ([]span, error) {
	var cuts []span
	for i := 0; i < len(d.statements); i++ {
		s := &d.statements[i]
		switch {
		case s.array && hasPrefix(table, s.key):
			return nil, d.problem(s.start, s.key, "is an array of tables: change it by hand")
		case s.header && hasPrefix(s.key, table):
			next := i
			for next < len(d.statements) && hasPrefix(d.statements[next].section, table) {
				next++
			}
			cuts = append(cuts, span{d.commentAbove(i), d.sectionEnd(next)})
			i = next - 1
		case s.header:
		case len(s.key) == len(table) && hasPrefix(s.key, table) && s.kind != unstable.InlineTable:
			return nil, d.problem(s.start, s.key, "is not a table")
		case hasPrefix(s.key, table):
			cuts = append(cuts, span{s.from, s.to})
		case hasPrefix(table, s.key):
			cut, err := d.cutInline(&s.pair, table, len(s.key))
			if err != nil || cut.to > 0 {
				return append(cuts, cut), err
			}
		}
	}
	return cuts, nil
}

// cutInline returns the first element of an inline table that belongs to a table. The first n
// parts of the table's key are the key of the inline table.
func (d *document) cutInline(p *pair, table []string, n int) (span, error) {
	if p.kind != unstable.InlineTable {
		return span{}, d.problem(p.start, table[:n], "is not a table")
	}
	rest := table[n:]
	for i := range p.inner {
		q := &p.inner[i]
		switch {
		case len(q.key) == len(rest) && hasPrefix(q.key, rest) && q.kind != unstable.InlineTable:
			return span{}, d.problem(q.start, table, "is not a table")
		case hasPrefix(q.key, rest):
			return d.element(p, i)
		case hasPrefix(rest, q.key):
			return d.cutInline(q, table, n+len(q.key))
		}
	}
	return span{}, nil
}

// element returns the span of the i-th element with its comma.
func (d *document) element(p *pair, i int) (span, error) {
	from, to := p.inner[i].start, p.inner[i].end
	gap := span{}
	switch {
	case i+1 < len(p.inner):
		gap = span{to, p.inner[i+1].start}
		to = gap.to
	case i > 0:
		gap = span{p.inner[i-1].end, from}
		from = gap.from
	}
	if bytes.IndexByte(d.data[gap.from:gap.to], '#') >= 0 {
		return span{}, d.problem(gap.from, nil, "a comment in an inline table would be lost: change it by hand")
	}
	return span{from, to}, nil
}

// commentAbove returns where the comment lines directly above a statement begin.
func (d *document) commentAbove(i int) int {
	floor, at := 0, d.statements[i].from
	if i > 0 {
		floor = d.statements[i-1].to
	}
	for at > floor {
		line := 1 + bytes.LastIndexByte(d.data[:at-1], '\n')
		if !isComment(d.data[line:at]) {
			break
		}
		at = line
	}
	return at
}

// sectionEnd returns the end of a section, including the comment lines directly below its last
// statement. next is the index of the first statement after the section.
func (d *document) sectionEnd(next int) int {
	ceiling := len(d.data)
	if next < len(d.statements) {
		ceiling = d.commentAbove(next)
	}
	at := d.statements[next-1].to
	for at < ceiling {
		line := d.nextLine(at)
		if !isComment(d.data[at:line]) {
			break
		}
		at = line
	}
	return at
}

func isComment(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("#"))
}

func (d *document) without(cuts []span) []byte {
	out := make([]byte, 0, len(d.data))
	at := 0
	for _, c := range cuts {
		out = append(out, d.data[at:c.from]...)
		at = c.to
	}
	return append(out, d.data[at:]...)
}
