package tomledit

import (
	"errors"
	"maps"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestUnset(t *testing.T) {
	for _, tt := range []struct{ name, doc, table, key, want string }{
		{"line", "[t]\n# k\nk = 1 # d\nl = 2\n", "t", "k", "[t]\n# k\nl = 2\n"},
		{"the only key", "[t] # t\nk = 1\n\n[v]\n", "t", "k", "[t] # t\n\n[v]\n"},
		{"several lines", "[t]\nk = [ # c\n  1,\n]\nl = 1", "t", "k", "[t]\nl = 1"},
		{"the last line, no newline", "[t]\nl = 1\nk = 1", "t", "k", "[t]\nl = 1\n"},
		{"quoted", "[u.\"a@b\"]\n\"k\" = 1\nl = 1\n", "u/a@b", "k", "[u.\"a@b\"]\nl = 1\n"},
		{"dotted", "[u]\n\"a@b\".l = 1\n\"a@b\".k = 1\n", "u/a@b", "k", "[u]\n\"a@b\".l = 1\n"},
		{"inline", "[u]\n\"a@b\" = { x = 1, k = 1 } # c\n", "u/a@b", "k", "[u]\n\"a@b\" = { x = 1 } # c\n"},
		{"first inline", "u = { a = { k = 1, x = 1 } }\n", "u/a", "k", "u = { a = { x = 1 } }\n"},
		{"an inline table", "[t]\nk = { a = 1 }\nl = 1\n", "t", "k", "[t]\nl = 1\n"},
		{"CRLF", "[t]\r\nk = 1\r\nl = 1\r\n", "t", "k", "[t]\r\nl = 1\r\n"},
		{"byte order mark", "\ufeff[t]\nk = 1\n", "t", "k", "\ufeff[t]\n"},
		{"only another table has the key", "k = 1\n[a]\nk = 1\n[t]\n[t.a]\nk = 1\n", "t", "k", "k = 1\n[a]\nk = 1\n[t]\n[t.a]\nk = 1\n"},
		{"no such table", "a = 1\n", "u/b", "k", "a = 1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Unset([]byte(tt.doc), path(tt.table), tt.key); err != nil || string(got) != tt.want {
				t.Errorf("Unset = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestUnsetRefuses(t *testing.T) {
	for _, tt := range []struct{ name, doc, table, key, want string }{
		{"not TOML", "[t]\nx\n", "t", "k", "line 2: not valid TOML: nothing was changed"},
		{"table is a value", "t = 1\n", "t", "k", "line 1: t: is not a table"},
		{"array of tables", "[[t]]\nk = 1\n", "t", "k", "line 1: t: is an array of tables: change it by hand"},
		{"the only key of a table, dotted", "[u]\na.k = 1\n", "u/a", "k", "line 1: u.a.k: cannot be edited safely as it is written: change it by hand"},
		{"comment in an inline table", "u = { k = 1, # c\n b = 1 }\n", "u", "k", "line 1: a comment in an inline table would be lost: change it by hand"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Unset([]byte(tt.doc), path(tt.table), tt.key)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Unset = %q, %v; want %s", got, err, tt.want)
			}
		})
	}
}

// FuzzUnset tests that Unset removes the key and nothing else.
func FuzzUnset(f *testing.F) {
	for _, doc := range samples {
		for _, table := range sampleTables {
			f.Add(doc, table, "k")
		}
	}
	f.Fuzz(func(t *testing.T, doc, table, key string) {
		got, err := Unset([]byte(doc), path(table), key)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) && len(doc) <= MaxSize {
				t.Errorf("Unset(%q, %q, %q): %v has no line", doc, table, key, err)
			}
			return
		}
		want, have := flat(t, []byte(doc)), flat(t, got)
		whole := append(toml.Key(path(table)), key)
		before := len(want)
		for k := range want {
			if k == whole.String() || len(k) > len(whole.String()) && k[:len(whole.String())+1] == whole.String()+"." {
				delete(want, k)
			}
		}
		if len(want) == before && string(got) != doc {
			t.Errorf("Unset(%q, %q, %q) = %q: there was nothing to remove", doc, table, key, got)
		}
		if len(want) < before && !maps.Equal(have, want) && string(got) != doc {
			t.Errorf("Unset(%q, %q, %q) = %q", doc, table, key, got)
		}
		if !isSubsequence(got, []byte(doc)) {
			t.Errorf("Unset(%q, %q, %q) = %q: not only deleted", doc, table, key, got)
		}
	})
}
