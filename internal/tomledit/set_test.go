package tomledit

import (
	"errors"
	"strings"
	"testing"
)

// path splits a path at slashes, which no key of these tests contains.
func path(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "/")
}

func TestSet(t *testing.T) {
	for _, tt := range []struct{ name, doc, table, key, value, want string }{
		{"replace", "# c\n[t]\nk = 1 # d\nl=2\n", "t", "k", "3", "# c\n[t]\nk = 3 # d\nl=2\n"},
		{"replace, spaces kept", "[ t ]\n\t k\t=   'x'  # d\n", "t", "k", `"y"`, "[ t ]\n\t k\t=   \"y\"  # d\n"},
		{"replace a multi-line string", "[t]\nk = \"\"\"\n[t]\nk = 1\n\"\"\" # c\nl = 2", "t", "k", "'x'", "[t]\nk = 'x' # c\nl = 2"},
		{"replace a multi-line literal", "[t]\nk = '''a\nb'''\n", "t", "k", "1", "[t]\nk = 1\n"},
		{"replace an array over lines", "[t]\nk = [\n  '#',\n  2,\n] # c\n", "t", "k", "[]", "[t]\nk = [] # c\n"},
		{"replace an inline table", "[t]\nk = { a = 1 }\n", "t", "k", "true", "[t]\nk = true\n"},
		{"replace a date", "k = 2026-11-23 12:00:00 # c\n", "", "k", "1", "k = 1 # c\n"},
		{"replace with many lines", "k = 1\nl = 2\n", "", "k", "[\n  1,\n]", "k = [\n  1,\n]\nl = 2\n"},
		{"double quoted key", "[u.\"a@b\"]\n\"k\" = 1\n", "u/a@b", "k", "2", "[u.\"a@b\"]\n\"k\" = 2\n"},
		{"single quoted key", "[u.'a@b']\n'k' = 1\n", "u/a@b", "k", "2", "[u.'a@b']\n'k' = 2\n"},
		{"escaped key", "[u.\"a\\u0040b\"]\nk = 1\n", "u/a@b", "k", "2", "[u.\"a\\u0040b\"]\nk = 2\n"},
		{"dotted key", "[u]\n\"a@b\".k = 1\n\"c@d\".k = 1\n", "u/a@b", "k", "2", "[u]\n\"a@b\".k = 2\n\"c@d\".k = 1\n"},
		{"dotted from the root", "u.'a@b'.k=1", "u/a@b", "k", "2", "u.'a@b'.k=2"},
		{"inline", "[u]\n\"a@b\" = { x = 1, k = 1 } # c\n", "u/a@b", "k", "2", "[u]\n\"a@b\" = { x = 1, k = 2 } # c\n"},
		{"inline in inline", "u = {\"a@b\" = {k = 1}}\n", "u/a@b", "k", "2", "u = {\"a@b\" = {k = 2}}\n"},
		{"inline, dotted", "u = {\"a@b\".k = 1}\n", "u/a@b", "k", "2", "u = {\"a@b\".k = 2}\n"},
		{"not another table's key", "k = 1\n[a]\nk = 1\n[t]\nk = 1\n[t.a]\nk = 1\n", "t", "k", "2", "k = 1\n[a]\nk = 1\n[t]\nk = 2\n[t.a]\nk = 1\n"},
		{"CRLF", "[t]\r\nk = 1\r\nl = 1\r\n", "t", "k", "2", "[t]\r\nk = 2\r\nl = 1\r\n"},
		{"byte order mark", "\ufeff[t]\nk = 1\n", "t", "k", "2", "\ufeff[t]\nk = 2\n"},

		{"add", "[t]\na = 1 # c\n# d\n\n[v]\n", "t", "k", "2", "[t]\na = 1 # c\nk = 2\n# d\n\n[v]\n"},
		{"add, indented", "[t]\n  a = [\n  1]\n\n[v]\n", "t", "k", "2", "[t]\n  a = [\n  1]\n  k = 2\n\n[v]\n"},
		{"add to an empty table", "  [t] # c\n\n[v]\n", "t", "k", "2", "  [t] # c\nk = 2\n\n[v]\n"},
		{"add above subtables", "[t.sub]\nx = 1\n[t]\na = 1\n[t.other]\n", "t", "k", "2", "[t.sub]\nx = 1\n[t]\na = 1\nk = 2\n[t.other]\n"},
		{"add at the end, no newline", "[t]\na = 1", "t", "k", "2", "[t]\na = 1\nk = 2"},
		{"add at the end, no newline, CRLF", "[t]\r\na = 1", "t", "k", "2", "[t]\r\na = 1\r\nk = 2"},
		{"add with CRLF", "[t]\r\na = 1\r\n[v]\r\n", "t", "k", "2", "[t]\r\na = 1\r\nk = 2\r\n[v]\r\n"},
		{"add quoted", "[t]\n", "t", "a.b", "2", "[t]\n\"a.b\" = 2\n"},
		{"add dotted", "[u]\n\"a@b\".x = 1\n\"c@d\".x = 1\n", "u/a@b", "k", "2", "[u]\n\"a@b\".x = 1\n\"a@b\".k = 2\n\"c@d\".x = 1\n"},
		{"add inline", "[u]\n\"a@b\" = { x = 1 } # c\n", "u/a@b", "k", "2", "[u]\n\"a@b\" = { x = 1, k = 2 } # c\n"},
		{"add to empty inline", "[u]\na = {}\n", "u/a", "k", "2", "[u]\na = { k = 2 }\n"},
		{"add to blank inline", "[u]\na = { }\n", "u/a", "k", "2", "[u]\na = { k = 2 }\n"},
		{"add a table to inline", "u = { b = 1 }\n", "u/a@b", "k", "2", "u = { b = 1, \"a@b\".k = 2 }\n"},
		{"add to the root", "a = 1\n\n[t]\n", "", "k", "2", "a = 1\nk = 2\n\n[t]\n"},
		{"add to a root without keys", "[t]\n", "", "k", "2", "k = 2\n[t]\n"},
		{"add to nothing", "", "", "k", "2", "k = 2\n"},

		{"new table", "[t]\na = 1\n", "u/a@b", "k", "2", "[t]\na = 1\n\n[u.\"a@b\"]\nk = 2\n"},
		{"new table after a blank line", "[t]\n\n", "u", "k", "2", "[t]\n\n[u]\nk = 2\n"},
		{"new table, no newline", "[t] # c", "u", "k", "2", "[t] # c\n\n[u]\nk = 2"},
		{"new table, CRLF", "[t]\r\n", "u", "k", "2", "[t]\r\n\r\n[u]\r\nk = 2\r\n"},
		{"new table in an empty file", "", "u", "k", "2", "[u]\nk = 2\n"},
		{"new table after its subtable", "[u.a]\nx = 1\n", "u", "k", "2", "[u.a]\nx = 1\n\n[u]\nk = 2\n"},
		{"new table beside dotted keys", "[u]\n\"a@b\".x = 1\n", "u/c@d", "k", "2", "[u]\n\"a@b\".x = 1\n\n[u.\"c@d\"]\nk = 2\n"},
		{"new table, whose header is in a string and a comment", "[v]\nk = '''\n[u]\nk = 1\n'''\n# [u]\n", "u", "k", "2", "[v]\nk = '''\n[u]\nk = 1\n'''\n# [u]\n\n[u]\nk = 2\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Set([]byte(tt.doc), path(tt.table), tt.key, tt.value)
			if err != nil || string(got) != tt.want {
				t.Errorf("Set = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	const secret = "s3cr3t"
	for _, tt := range []struct{ name, doc, table, key, value, want string }{
		{"not TOML", "[t]\nk = s3cr3t\n", "t", "k", "1", "line 2: not valid TOML: nothing was changed"},
		{"key twice", "k = 1\nk = 's3cr3t'\n", "", "l", "1", "line 2: not valid TOML: nothing was changed"},
		{"comment in an array", "[t]\nk = [\n  1, # one\n  [2],\n]\n", "t", "k", "[]", "line 2: t.k: holds a comment, which would be lost: change it by hand"},
		{"comment deep in an array", "[t]\nk = [1, [2,\n# c\n]]\n", "t", "k", "[]", "line 2: t.k: holds a comment, which would be lost: change it by hand"},
		{"array of tables", "x = 1\n[[t]]\nk = 1\n", "t", "k", "2", "line 2: t: is an array of tables: change it by hand"},
		{"below an array of tables", "[[u]]\n[u.a]\nk = 1\n", "u/a", "k", "2", "line 1: u: is an array of tables: change it by hand"},
		{"array", "u = [ {k = 1} ]\n", "u", "k", "2", "line 1: u: is not a table: change it by hand"},
		{"table is a string", "[u]\na = 's3cr3t'\n", "u/a", "k", "2", "line 2: u.a: is not a table: change it by hand"},
		{"inline table is a string", "u = { a = 1,\n b = 's3cr3t' }\n", "u/b", "k", "2", "line 2: u.b: is not a table: change it by hand"},
		{"key is a table", "[u]\n[u.a]\n", "u", "a", "2", "line 2: u.a: is a table, which a value cannot replace: delete it first"},
		{"key is above a table", "[u.a.b]\n", "u", "a", "2", "line 1: u.a: is a table, which a value cannot replace: delete it first"},
		{"key is a dotted table", "[u]\na.b = 1\n", "u", "a", "2", "line 2: u.a: is a table of dotted keys, which a value cannot replace: delete it first"},
		{"key is a dotted inline table", "u = { a.b = 1 }\n", "u", "a", "2", "line 1: u.a: is a table of dotted keys: change it by hand"},
		{"value with a second line", "[u]\n", "u", "a", "1\nb = 's3cr3t'", "u.a: the new value is not exactly one TOML value"},
		{"value with a comment", "[u]\n", "u", "a", "1 # s3cr3t", "u.a: the new value is not exactly one TOML value"},
		{"no value", "[u]\n", "u", "a", "", "u.a: the new value is not exactly one TOML value"},
		{"bare word", "[u]\n", "u", "a", secret, "u.a: the new value is not exactly one TOML value"},
		{"table not UTF-8", "[u]\n", "u/\xff", "a", "1", "the name of a table is not UTF-8: TOML cannot hold it"},
		{"key not UTF-8", "[u]\n", "u", "\xff", "1", "a key is not UTF-8: TOML cannot hold it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Set([]byte(tt.doc), path(tt.table), tt.key, tt.value)
			if err == nil || err.Error() != tt.want || got != nil {
				t.Errorf("Set = %q, %v; want %s", got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("error %q contains a value", err)
			}
		})
	}
}

func TestErrorHasPosition(t *testing.T) {
	_, err := Set([]byte("[a]\n\n[[u]]\n"), path("u"), "k", "1")
	var e *Error
	if !errors.As(err, &e) || e.Line != 3 || e.Key != "u" {
		t.Errorf("error %#v", err)
	}
}

func TestAppend(t *testing.T) {
	two := []Table{
		{path("u/a@b"), []KeyValue{{"password", `"x"`}, {"nets", `["::1"]`}}},
		{path("u/c@d"), []KeyValue{{"password", `"y"`}}},
	}
	const text = "[u.\"a@b\"]\npassword = \"x\"\nnets = [\"::1\"]\n\n[u.\"c@d\"]\npassword = \"y\"\n"
	for _, tt := range []struct{ doc, want string }{
		{"", text},
		{"[u]\n", "[u]\n\n" + text},
		{"# c", "# c\n\n" + strings.TrimSuffix(text, "\n")},
		{"\r\n", "\r\n" + strings.ReplaceAll(text, "\n", "\r\n")},
	} {
		if got, err := Append([]byte(tt.doc), two); err != nil || string(got) != tt.want {
			t.Errorf("Append to %q = %q, %v; want %q", tt.doc, got, err, tt.want)
		}
	}
	for _, tt := range []struct{ doc, want string }{
		{"[u]\n\"a@b\".x = 1\n", "line 2: u.\"a@b\": is there already"},
		{"[u.\"a@b\".sub]\n", "line 1: u.\"a@b\": is there already"},
		{"[u.\"c@d\"]\n", "line 1: u.\"c@d\": is there already"},
		{"[[u]]\n", "line 1: u.\"a@b\": cannot be edited safely as it is written: change it by hand"},
		{"x = 1\nu = {}\n", "line 2: u.\"a@b\": cannot be edited safely as it is written: change it by hand"},
	} {
		if got, err := Append([]byte(tt.doc), two); err == nil || err.Error() != tt.want {
			t.Errorf("Append to %q = %q, %v; want %s", tt.doc, got, err, tt.want)
		}
	}
	if _, err := Append(nil, append(two, two[0])); err == nil {
		t.Error("Append accepts a duplicate table")
	}
}
