package tomledit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestCut(t *testing.T) {
	const a, b, c = "[u.a]\n# c\n", "  [ u . 'b' ]\nk = '''\n[u.x]\n'''\n", "[u.\"c\"]\nk = [\n[1],\n]\n"
	const before, between = "k = 1\n# c\n[t]\nu = 1\n", "[t.u]\n"
	for _, tt := range []struct {
		doc    string
		size   int
		rest   string
		pieces []string
	}{
		{"", 1, "", nil},
		{before + between, 1, before + between, nil},
		{a + b + c, 1, "", []string{a, b, c}},
		{a + b + c, 1000, "", []string{a + b + c}},
		{a + b + c, len(a + b), "", []string{a + b, c}},
		{before + a + b + between + c, 1000, before + between, []string{a + b, c}},
		{"\ufeff" + a + between, 1, "\ufeff" + between, []string{a}},
		{"\ufeff" + before + strings.TrimSuffix(a, "\n"), 1, "\ufeff" + before, []string{strings.TrimSuffix(a, "\n")}},
	} {
		rest, pieces, ok := Cut([]byte(tt.doc), "u", tt.size)
		var got []string
		for _, p := range pieces {
			got = append(got, string(p))
		}
		if !ok || string(rest) != tt.rest || !slices.Equal(got, tt.pieces) {
			t.Errorf("Cut(%q, %d) = %q, %q, %v", tt.doc, tt.size, rest, got, ok)
		}
	}
	for _, doc := range []string{
		"u = 1", "u.a.k = 1\n[u.b]", "[u]\n[u.a]", "[u.a.b]", "[u.a]\n[u.a.b]", "[[u]]", "[[u.a]]", "[u.a]\n[u.'a']", "[U.a]\n[u.b]", "[u.a]\nk", "u",
	} {
		if _, _, ok := Cut([]byte(doc), "u", 1); ok {
			t.Errorf("Cut(%q) succeeds", doc)
		}
	}
}

// FuzzCut tests that the pieces and the rest of a document have the same content and the same keys, in the same order,
// as the whole document: what the decoder accepts in pieces it must accept as a whole.
func FuzzCut(f *testing.F) {
	for _, doc := range samples {
		f.Add(doc, 1)
		f.Add(doc, 1000)
	}
	f.Add("k = 1\n[u.a]\nk = [ # ]\n 1]\n[t]\n[u.b]\nk = \"\"\"\\\n[u.c]\n\"\"\"\n[u.c]\nx.y = {k = 1}\n", 20)
	f.Fuzz(func(t *testing.T, doc string, size int) {
		rest, pieces, ok := Cut([]byte(doc), "u", size)
		if !ok {
			return
		}
		got := make(map[string]any)
		meta, err := toml.Decode(string(rest), &got)
		if err != nil {
			return
		}
		others := append([]toml.Key(nil), meta.Keys()...)
		var mine []toml.Key
		tables := make(map[string]any)
		for _, p := range pieces {
			var piece struct{ U map[string]any }
			meta, err := toml.Decode(string(p), &piece)
			if err != nil {
				return
			}
			mine = append(mine, meta.Keys()...)
			for name, table := range piece.U {
				if tables[name] != nil {
					t.Errorf("two pieces of %q have the table %q", doc, name)
				}
				tables[name] = table
			}
		}
		if len(tables) > 0 {
			got["u"] = tables
		}
		var want map[string]any
		meta, err = toml.Decode(doc, &want)
		if err != nil {
			t.Fatalf("%q: the pieces %q are valid, but the whole is not: %v", doc, pieces, err)
		}
		var theirs, ours []toml.Key
		for _, key := range meta.Keys() {
			if key[0] == "u" {
				ours = append(ours, key)
			} else {
				theirs = append(theirs, key)
			}
		}
		if fmt.Sprintf("%q", theirs) != fmt.Sprintf("%q", others) || fmt.Sprintf("%q", ours) != fmt.Sprintf("%q", mine) {
			t.Errorf("%q: rest and pieces have the keys %q and %q, want %q and %q", doc, others, mine, theirs, ours)
		}
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) { // NaN is not equal to itself
			t.Errorf("%q: the pieces have %v, want %v", doc, got, want)
		}
	})
}
