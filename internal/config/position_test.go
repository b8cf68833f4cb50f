package config

import (
	"testing"

	"github.com/BurntSushi/toml"
)

func TestPositions(t *testing.T) {
	p := newPositions([]byte(`a = 1

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
		if got := p.line(tt.key); got != tt.line {
			t.Errorf("line of %s = %d, want %d", tt.key, got, tt.line)
		}
	}
}
