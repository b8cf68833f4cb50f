package tomledit

import (
	"testing"

	"github.com/BurntSushi/toml"
)

func TestLines(t *testing.T) {
	lines := NewLines([]byte(`a = 1

[users."b@x"] # [no.table]
password = """
[not.a.table]
fake = 1"""
list = [
  1, # x = 2
  [2],
]
[servers]
 x.host = "h"
y = { host = "1", deep = { "k e y" = 3 } }

[ q . "z.z" ]
[[arr]]
Mixed = 1
`))
	for _, tt := range []struct {
		key  toml.Key
		line int
	}{
		{toml.Key{"a"}, 1},
		{toml.Key{"users"}, 3},
		{toml.Key{"users", "b@x"}, 3},
		{toml.Key{"users", "b@x", "password"}, 4},
		{toml.Key{"users", "b@x", "list"}, 7},
		{toml.Key{"users", "b@x", "missing"}, 3},
		{toml.Key{"servers"}, 11},
		{toml.Key{"servers", "x"}, 12},
		{toml.Key{"servers", "x", "host"}, 12},
		{toml.Key{"servers", "y", "host"}, 13},
		{toml.Key{"servers", "y", "deep", "k e y"}, 13},
		{toml.Key{"q"}, 15},
		{toml.Key{"q", "z.z"}, 15},
		{toml.Key{"arr"}, 16},
		{toml.Key{"arr", "Mixed"}, 17},
		{toml.Key{"nowhere"}, 1},
	} {
		if got := lines.Line(tt.key); got != tt.line {
			t.Errorf("line of %s = %d, want %d", tt.key, got, tt.line)
		}
	}
}

func TestLinesAfterByteOrderMark(t *testing.T) {
	if n := NewLines([]byte("\ufeff[a]\nk = 1\n")).Line(toml.Key{"a", "k"}); n != 2 {
		t.Errorf("line %d", n)
	}
}

func TestErrorLine(t *testing.T) {
	for _, tt := range []struct {
		doc  string
		line int
	}{
		{"\x13", 1},
		{"x", 1},
		{"x\n", 1},
		{"a = 1\nb = \n\n", 2},
		{"a = 1\n\nb = 'x\nc = 1\n", 3},
		{"\ufeff\nx\n", 2},
	} {
		var content map[string]any
		if _, err := toml.Decode(tt.doc, &content); err == nil || ErrorLine([]byte(tt.doc), err) != tt.line {
			t.Errorf("%q: %v, line %d; want %d", tt.doc, err, ErrorLine([]byte(tt.doc), err), tt.line)
		}
	}
}
