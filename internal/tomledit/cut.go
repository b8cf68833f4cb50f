package tomledit

import (
	"bytes"
	"hash/maphash"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Cut cuts the tables [section.NAME] out of a document, so that a large one can be decoded in pieces. The rest and the
// pieces are documents of their own. Together they have the content of the whole document, in its order. Each piece has
// at least one table, and is at most as large as size if it has several.
//
// Cut reports whether it could. It cannot if anything else belongs to the section, if a table is there twice, or if the
// document is not valid TOML.
func Cut(doc []byte, section string, size int) (rest []byte, pieces [][]byte, ok bool) {
	c := cutter{doc: doc, section: section, size: size, names: make(map[uint64]bool)}
	body := bytes.TrimPrefix(doc, []byte(byteOrderMark))
	mark := len(doc) - len(body)
	var parser unstable.Parser
	for parser.Reset(body); parser.NextExpression(); {
		e := parser.Expression()
		key := e.Key()
		key.Next()
		first := key.Node()
		mine := strings.EqualFold(string(first.Data), section) // as the decoder compares
		switch {
		case e.Kind == unstable.KeyValue:
			if mine && !c.inTable {
				return nil, nil, false
			}
			continue
		case mine && (e.Kind != unstable.Table || string(first.Data) != section || !c.isNew(key)):
			return nil, nil, false
		}
		c.header(mark+bytes.LastIndexByte(body[:first.Raw.Offset], '\n')+1, mine)
	}
	if parser.Error() != nil {
		return nil, nil, false
	}
	c.header(len(doc), false)
	return c.rest, c.pieces, true
}

// cutter sorts the text between headers into the rest and the pieces.
type cutter struct {
	doc     []byte
	section string
	size    int
	names   map[uint64]bool // hashes of the names of the section's tables

	inTable bool // whether there was a header
	mine    bool // whether the last header is one of the section
	begin   int  // where its line begins
	piece   int  // where the piece that is not complete begins, if mine

	rest   []byte
	pieces [][]byte
}

// seed is the key of the hashes of names.
var seed = maphash.MakeSeed()

// isNew reports whether exactly one more part follows in a key, and whether it is the first table of that name.
func (c *cutter) isNew(key unstable.Iterator) bool {
	if !key.Next() || !key.IsLast() {
		return false
	}
	hash := maphash.Bytes(seed, key.Node().Data)
	known := c.names[hash]
	c.names[hash] = true
	return !known
}

// header ends the table before the offset of a header, or of the end of the document.
func (c *cutter) header(at int, mine bool) {
	if !c.mine {
		c.rest = append(c.rest, c.doc[c.begin:at]...)
		c.piece = at
	} else {
		if at-c.piece > c.size && c.begin > c.piece {
			c.cut(c.begin)
		}
		if !mine {
			c.cut(at)
		}
	}
	c.inTable, c.mine, c.begin = true, mine, at
}

func (c *cutter) cut(at int) {
	c.pieces = append(c.pieces, c.doc[c.piece:at:at])
	c.piece = at
}
