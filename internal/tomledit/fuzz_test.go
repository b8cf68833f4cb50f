package tomledit

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// samples has each construct of TOML, and the tables t, u.a and u."a@b" in each form.
var samples = []string{
	"",
	"# only a comment",
	"k = 1\r\n[t]\r\nk = nan # c\r\n\r\n# u\r\n[u.a]\r\nk = '''\r\n[t]'''\r\n",
	"[t]\n[t.sub]\nk = [ { x = 1 }, [ 2 ], # c\n]\n\n[[t.list]]\nk = 1\n[[t.list]]\n[t.list.x]\n[u]\na.k = 1\n'a@b'.sub.k = 2026-11-23\n[u.a.sub]\n",
	"u = { a = { k = 1 }, \"a@b\".k = \"\"\"x\ny\"\"\" }\nt.k = inf",
	"[u]\n  \"a@b\" = {} # c\n  a = { k.l = 1 }\n\n[[t]]\nk = 1\n",
	"\ufeff[u.\"a\\u0040b\"]\n\"k\" = \"\\\"]\\n#\"\n[ u . 'a' ]\n[t]",
}

var (
	sampleTables = []string{"", "t", "u", "u/a", "u/a@b", "t/sub", "new", "u/\"\\\n"}
	sampleKeys   = []string{"k", "a", "", "x y", "'"}
	sampleValues = []string{"1", `"x"`, "[\n  1, # c\n]", "{ z = 1 }", "'''\n[t]\n'''", "nan", "1\nk = 2", "1 # c", "}"}
)

// flat decodes a document to a map with one entry for each value and each table.
func flat(t *testing.T, doc []byte) map[string]string {
	t.Helper()
	var content map[string]any
	if _, err := toml.Decode(string(doc), &content); err != nil {
		t.Fatalf("%q: %v", doc, err)
	}
	out := make(map[string]string)
	flatten(out, nil, content)
	return out
}

func flatten(out map[string]string, key toml.Key, value any) {
	table, ok := value.(map[string]any)
	if !ok {
		out[key.String()] = fmt.Sprintf("%T %v", value, value)
		return
	}
	out[key.String()+"."] = "table"
	for k, v := range table {
		flatten(out, append(key[:len(key):len(key)], k), v)
	}
}

// checkSet tests that Set changes the content as requested, or returns an error.
func checkSet(t *testing.T, doc, table, key, value string) {
	t.Helper()
	got, err := Set([]byte(doc), path(table), key, value)
	if err != nil {
		if got != nil {
			t.Errorf("Set returned the error %v and the result %q", err, got)
		}
		return
	}
	want, whole := flat(t, []byte(doc)), append(toml.Key(path(table)), key)
	for n := range whole {
		want[whole[:n].String()+"."] = "table"
	}
	before := len(want)
	maps.DeleteFunc(want, func(k, _ string) bool { return k == whole.String() || strings.HasPrefix(k, whole.String()+".") })
	isNew := len(want) == before
	var v map[string]any
	if _, err := toml.Decode("v = "+value, &v); err != nil {
		t.Fatalf("Set accepted the value %q: %v", value, err)
	}
	flatten(want, whole, v["v"])
	if have := flat(t, got); !maps.Equal(have, want) {
		t.Errorf("Set(%q, %q, %q, %q) = %q: has %v, want %v", doc, table, key, value, got, have, want)
	}
	if isNew && !isInsertion(doc, string(got)) {
		t.Errorf("Set(%q, %q, %q, %q) = %q: not only added", doc, table, key, value, got)
	}
}

// isInsertion reports whether an edit only inserted text, in one place.
func isInsertion(old, edited string) bool {
	same := 0
	for same < len(old) && same < len(edited) && old[same] == edited[same] {
		same++
	}
	return strings.HasSuffix(edited[same:], old[same:])
}

// checkDelete tests that Delete removes the table and nothing else, or returns an error.
func checkDelete(t *testing.T, doc, table string) {
	t.Helper()
	got, err := Delete([]byte(doc), path(table))
	if err != nil {
		return
	}
	name := toml.Key(path(table)).String()
	want, have := flat(t, []byte(doc)), flat(t, got)
	if want[name+"."] == "" {
		t.Errorf("Delete(%q, %q) = %q: there was no such table", doc, table, got)
	}
	maps.DeleteFunc(want, func(k, _ string) bool { return strings.HasPrefix(k, name+".") })
	for key := toml.Key(path(table)); len(key) > 1; { // empty tables above it may be removed
		key = key[:len(key)-1]
		if _, there := have[key.String()+"."]; !there {
			delete(want, key.String()+".")
		}
	}
	if !maps.Equal(have, want) {
		t.Errorf("Delete(%q, %q) = %q: has %v, want %v", doc, table, got, have, want)
	}
	if !isSubsequence(got, []byte(doc)) {
		t.Errorf("Delete(%q, %q) = %q: not only deleted", doc, table, got)
	}
}

func isSubsequence(part, whole []byte) bool {
	for _, b := range part {
		i := bytes.IndexByte(whole, b)
		if i < 0 {
			return false
		}
		whole = whole[i+1:]
	}
	return true
}

// TestEachConstruct makes all sample edits in all samples, and then edits the results again.
func TestEachConstruct(t *testing.T) {
	for _, doc := range samples {
		for _, table := range sampleTables {
			checkDelete(t, doc, table)
			for _, key := range sampleKeys {
				for _, value := range sampleValues {
					checkSet(t, doc, table, key, value)
					if once, err := Set([]byte(doc), path(table), key, value); err == nil {
						checkSet(t, string(once), table, "k", "false")
						checkDelete(t, string(once), table)
						if !strings.Contains(value, "#") { // Set refuses to replace a comment
							checkAgain(t, once, table, key, value)
						}
					}
				}
			}
		}
	}
}

// checkAgain tests that setting the same value again changes nothing.
func checkAgain(t *testing.T, once []byte, table, key, value string) {
	t.Helper()
	if again, err := Set(once, path(table), key, value); err != nil || !bytes.Equal(again, once) {
		t.Errorf("Set again on %q = %q, %v", once, again, err)
	}
}

func FuzzSet(f *testing.F) {
	for i, doc := range samples {
		f.Add(doc, sampleTables[i], sampleKeys[i%len(sampleKeys)], sampleValues[i])
	}
	f.Fuzz(checkSet)
}

func FuzzDelete(f *testing.F) {
	for _, doc := range samples {
		for _, table := range sampleTables {
			f.Add(doc, table)
		}
	}
	f.Fuzz(checkDelete)
}

func FuzzQuote(f *testing.F) {
	f.Add("a\"b\\c\n\r\t\x00\x7f\u0085ü\U0001f600")
	f.Fuzz(func(t *testing.T, s string) {
		var v map[string]string
		if _, err := toml.Decode("v = "+Quote(s), &v); err != nil {
			t.Fatalf("Quote(%q) = %s: %v", s, Quote(s), err)
		}
		if utf8.ValidString(s) && v["v"] != s {
			t.Errorf("Quote(%q) = %s: decodes to %q", s, Quote(s), v["v"])
		}
	})
}
