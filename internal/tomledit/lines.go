package tomledit

import (
	"bytes"
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Lines maps each key and table of a document to its line number, by the dotted key. If a key
// occurs more than once, the line is that of the first occurrence.
type Lines map[string]int

// NewLines returns the lines of a document. If the document is not valid TOML, Lines has the
// keys before the first mistake.
func NewLines(doc []byte) Lines {
	f := finder{data: bytes.TrimPrefix(doc, []byte(byteOrderMark)), line: 1, found: make(Lines)}
	f.parser.Reset(f.data)
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

// Line returns the line number of a key. If there is no such key, it returns the line of the
// key's table, or else 1.
func (l Lines) Line(key toml.Key) int {
	for ; len(key) > 0; key = key[:len(key)-1] {
		if n := l[key.String()]; n > 0 {
			return n
		}
	}
	return 1
}

// ErrorLine returns the line number of an error of BurntSushi/toml. It counts lines up to the
// offset of the error, because the decoder's line number is one too high if the mistake is at
// the end of a line.
func ErrorLine(doc []byte, err error) int {
	var parse toml.ParseError
	if !errors.As(err, &parse) || parse.Position.Start <= 0 || strings.Contains(parse.Message, "control characters") { // the offset of these is wrong
		return max(parse.Position.Line, 1)
	}
	doc = bytes.TrimRight(bytes.TrimPrefix(doc, []byte(byteOrderMark)), "\n")
	return 1 + bytes.Count(doc[:min(parse.Position.Start, len(doc))], []byte("\n"))
}

const byteOrderMark = "\xef\xbb\xbf" // some editors write it before the first line

type finder struct {
	data   []byte
	parser unstable.Parser
	offset int // the last offset whose line is known
	line   int // its line
	found  Lines
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

// record records the line of a key and of the tables that it implies, and returns the whole key.
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

// lineOf returns the line of an offset. It counts from the last offset, because keys come in the
// order of the document.
func (f *finder) lineOf(offset int) int {
	if offset > f.offset {
		f.line += bytes.Count(f.data[f.offset:offset], []byte("\n"))
		f.offset = offset
	}
	return f.line
}
