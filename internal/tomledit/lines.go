package tomledit

import (
	"bytes"
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Lines has the line of each key and table of a document, by the key as it would be
// written. A key that stands more than once has the first line.
type Lines map[string]int

// NewLines reads a document that is valid TOML; of another one, it has what stands
// before the first mistake.
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

// Line is where a key stands; for one that is not there, where its table does.
func (l Lines) Line(key toml.Key) int {
	for ; len(key) > 0; key = key[:len(key)-1] {
		if n := l[key.String()]; n > 0 {
			return n
		}
	}
	return 1
}

// ErrorLine is the line that an error of BurntSushi/toml is about. It counts by the
// offset: the decoder's own line is one too high for what is wrong at the end of a line.
func ErrorLine(doc []byte, err error) int {
	var parse toml.ParseError
	if !errors.As(err, &parse) || parse.Position.Start <= 0 || strings.Contains(parse.Message, "control characters") { // of these it is wrong
		return max(parse.Position.Line, 1)
	}
	doc = bytes.TrimRight(bytes.TrimPrefix(doc, []byte(byteOrderMark)), "\n")
	return 1 + bytes.Count(doc[:min(parse.Position.Start, len(doc))], []byte("\n"))
}

const byteOrderMark = "\xef\xbb\xbf" // editors put it before the first line

type finder struct {
	data   []byte
	parser unstable.Parser
	offset int // of which line is known
	line   int
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
