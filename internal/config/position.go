package config

import (
	"bytes"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// positions finds the line of a key in a document that is valid TOML.
type positions map[string]int

func newPositions(data []byte) positions {
	f := finder{data: data, line: 1, found: make(positions)}
	f.parser.Reset(data)
	var table toml.Key
	for f.parser.NextExpression() {
		e := f.parser.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = f.record(nil, e.Key())
		case unstable.KeyValue:
			f.keyValue(table, e)
		}
	}
	return f.found
}

// line is where a key stands; for one that is not there, where its table does.
func (p positions) line(key toml.Key) int {
	for ; len(key) > 0; key = key[:len(key)-1] {
		if n := p[key.String()]; n > 0 {
			return n
		}
	}
	return 1
}

type finder struct {
	data   []byte
	parser unstable.Parser
	offset int // of which line is known
	line   int
	found  positions
}

func (f *finder) keyValue(table toml.Key, kv *unstable.Node) {
	key := f.record(table, kv.Key())
	if kv.Value().Kind != unstable.InlineTable {
		return
	}
	for it := kv.Value().Children(); it.Next(); {
		f.keyValue(key, it.Node())
	}
}

// record notes the line of a key and of all that it implies, and returns the whole key.
func (f *finder) record(table toml.Key, parts unstable.Iterator) toml.Key {
	key := append(toml.Key(nil), table...)
	for parts.Next() {
		key = append(key, string(parts.Node().Data))
		if line, name := f.lineOf(int(parts.Node().Raw.Offset)), key.String(); f.found[name] == 0 {
			f.found[name] = line
		}
	}
	return key
}

// lineOf counts on from the last offset: keys come in the order of the document.
func (f *finder) lineOf(offset int) int {
	if offset > f.offset {
		f.line += bytes.Count(f.data[f.offset:offset], []byte("\n"))
		f.offset = offset
	}
	return f.line
}
