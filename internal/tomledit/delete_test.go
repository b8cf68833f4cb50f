package tomledit

import "testing"

func TestDelete(t *testing.T) {
	for _, tt := range []struct{ name, doc, table, want string }{
		{"the only table", "[t]\nk = 1\n", "t", ""},
		{"blank lines are kept", "[a]\n\n[t]\nk = 1\n\n[b]\n", "t", "[a]\n\n\n[b]\n"},
		{"comments above", "[a]\n\n# free\n\n# T\n  # t\n[t] # h\nk = 1 # i\n\n# B\n[b]\n", "t", "[a]\n\n# free\n\n\n# B\n[b]\n"},
		{"comment below", "[t]\nk = 1\n# l = 2\n\n# free\n\n[b]\n", "t", "\n# free\n\n[b]\n"},
		{"comment of the next table", "[t]\nk = 1\n# B\n[b]\n", "t", "# B\n[b]\n"},
		{"comment directly below the last", "[a]\nk = 1\n# T\n[t]\n", "t", "[a]\nk = 1\n"},
		{"comment between keys", "[t]\nk = 1\n\n# l\n\nl = 2\n[b]\n", "t", "[b]\n"},
		{"subtables", "[t.x]\na = 1\n\n[t]\nk = 1\n\n[b]\n\n[t.y.z]\n[[t.list]]\nq = 1\n[t.list.sub]\n[c]\n", "t", "\n[b]\n\n[c]\n"},
		{"only subtables", "[t.x]\na = 1\n[b]\n", "t", "[b]\n"},
		{"one of several", "[u.\"a@b\"]\nk = 1\n[u.'c@d']\nk = 2\n[u.\"a@bc\"]\nk = 3\n", "u/c@d", "[u.\"a@b\"]\nk = 1\n[u.\"a@bc\"]\nk = 3\n"},
		{"the parent is kept", "[u]\n[u.a]\nk = 1\n", "u/a", "[u]\n"},
		{"header and comment in a string", "[t]\nk = '''\n[b]\n# c\n'''\n[b]\n", "t", "[b]\n"},
		{"comment in a string", "[a]\nk = '''\n# c\n'''\n[t]\n", "t", "[a]\nk = '''\n# c\n'''\n"},
		{"dotted", "[u]\nx = 1\n'a@b'.k = [\n1] # c\n'c@d'.k = 1\n\"a@b\".l = 2\ny = 1\n", "u/a@b", "[u]\nx = 1\n'c@d'.k = 1\ny = 1\n"},
		{"inline", "[u]\na = { k = 1 } # c\nb = { k = 1 }\n", "u/a", "[u]\nb = { k = 1 }\n"},
		{"first inline in inline", "u = { a = {k = 1}, b = {} } # c\n", "u/a", "u = { b = {} } # c\n"},
		{"last inline in inline", "u = { a = {k = 1}, b = {} } # c\n", "u/b", "u = { a = {k = 1} } # c\n"},
		{"dotted inline", "u = { a.k = 1, b.k = 2, a.l = 3, c = 4 }\n", "u/a", "u = { b.k = 2, c = 4 }\n"},
		{"last dotted inline", "u = { b.k = 2, a.k = 1, a.l = 3 }\n", "u/a", "u = { b.k = 2 }\n"},
		{"only inline in inline", "x = 1\nu = { a = {k = 1} }\n", "u/a", "x = 1\nu = {  }\n"},
		{"dotted and headers", "[u]\na.k = 1\n[u.a.sub]\nx = 1\n[b]\n", "u/a", "[u]\n[b]\n"},
		{"CRLF", "[a]\r\n\r\n# t\r\n[t]\r\nk = 1\r\n[b]\r\n", "t", "[a]\r\n\r\n[b]\r\n"},
		{"no newline at the end", "[a]\n\n[t]\nk = 1", "t", "[a]\n\n"},
		{"no newline, the first", "[t]\nk = 1\n[a]", "t", "[a]"},
		{"byte order mark", "\ufeff# t\n[t]\nk = 1\n[a]\n", "t", "\ufeff[a]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Delete([]byte(tt.doc), path(tt.table)); err != nil || string(got) != tt.want {
				t.Errorf("Delete = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestDeleteRefuses(t *testing.T) {
	for _, tt := range []struct{ name, doc, table, want string }{
		{"empty name", "k = 1\n", "", "empty table name"},
		{"no such table", "[u.a]\n", "u/b", "no table u.b"},
		{"no such table, inline", "u = { a = {} }\n", "u/b@c", "no table u.\"b@c\""},
		{"not TOML", "[u.a]\n\nx\n", "u/a", "line 3: not valid TOML: nothing was changed"},
		{"value", "[u]\na = 1\n", "u/a", "line 2: u.a: is not a table"},
		{"inline value", "u = { a = 1 }\n", "u/a", "line 1: u.a: is not a table"},
		{"below a value", "[u]\na = 1\n", "u/a/b", "line 2: u.a: is not a table"},
		{"array of tables", "[[u]]\n", "u", "line 1: u: is an array of tables: change it by hand"},
		{"below an array of tables", "[[u]]\n[u.a]\n", "u/a", "line 1: u: is an array of tables: change it by hand"},
		{"comment in an inline table", "x = 1\nu = { a = {}, # c\n b = 1 }\n", "u/a", "line 2: a comment in an inline table would be lost: change it by hand"},
		{"comma without an element", "u = { a = {}, }\n", "u/a", "line 1: u.a: cannot be edited safely as it is written: change it by hand"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := Delete([]byte(tt.doc), path(tt.table)); err == nil || err.Error() != tt.want || got != nil {
				t.Errorf("Delete = %q, %v; want %s", got, err, tt.want)
			}
		})
	}
}
