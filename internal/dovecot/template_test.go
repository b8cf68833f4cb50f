package dovecot

import (
	"slices"
	"strings"
	"testing"
)

func parse(t testing.TB, s string) *Template {
	t.Helper()
	tmpl, err := ParseTemplate(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return tmpl
}

func TestExpand(t *testing.T) {
	const user = "a.b@c@x.Example"
	for in, want := range map[string]string{
		"":                              "",
		"text":                          "text",
		"%{user}":                       user,
		"%u|%n|%d":                      user + "|a.b@c|x.Example",
		"%{username}/%{domain}":         "a.b@c/x.Example",
		"%{user|username}":              "a.b@c",
		"%{ user  |  domain }":          "x.Example",
		"%{user | domain | upper}":      "X.EXAMPLE",
		"%{user | upper | lower}":       "a.b@c@x.example",
		"%{user | username | domain}":   "c",
		"%Lu %Ld %Un":                   "a.b@c@x.example x.example A.B@C",
		"100%% %%u %%%u%%":              "100% %u %" + user + "%",
		"(&(a=b)(mail=%{user}))":        "(&(a=b)(mail=" + user + "))",
		"uid=%n,dc=%{domain | lower},x": "uid=a.b@c,dc=x.example,x",
	} {
		if got := parse(t, in).Expand(user, nil); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	escape := func(s string) string { return "<" + s + ">" }
	if got := parse(t, "a%%%u(%d)").Expand("bob@x", escape); got != "a%<bob@x>(<x>)" {
		t.Errorf("with escape: %q", got)
	}
	if got := parse(t, "%n|%d|%u").Expand("bob", nil); got != "bob||bob" {
		t.Errorf("a name without a domain: %q", got)
	}
	if got := parse(t, "%Lu").Expand("ÄB\xff@x", nil); got != "Äb\xff@x" {
		t.Errorf("lower: %q", got)
	}
}

func TestParseTemplateRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"%":                      "a percent sign at the end (known: %{user}",
		"a %x":                   `unknown variable "%x" (known: %{user}, %{username}, %{domain}, %u, %n, %d, and %% for a percent sign)`,
		"%ü":                     `unknown variable "%ü"`,
		"%L":                     `unknown variable "%L"`,
		"%Lx":                    `unknown variable "%L"`,
		"LIKE '%@x'":             `unknown variable "%@"`,
		"%{user":                 "closing brace",
		"%{}":                    "unknown variable %{}",
		"%{pass}":                "unknown variable %{pass} (known",
		"%{user | md5}":          `unknown filter "md5" (known: username, domain, lower, upper)`,
		"%{user |}":              `unknown filter ""`,
		"%{user | upper | user}": `unknown filter "user"`,
		"%{User}":                "unknown variable %{User}",
		"a\x00":                  "NUL",
	} {
		if _, err := ParseTemplate(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestUses(t *testing.T) {
	for in, want := range map[string][2]bool{
		"x":                           {false, false},
		"%{user}":                     {true, true},
		"%n":                          {true, false},
		"%d":                          {false, true},
		"%{user|domain|upper}":        {false, true},
		"%{user | username | domain}": {false, false},
		"%n%d":                        {true, true},
	} {
		tmpl := parse(t, in)
		if got := [2]bool{tmpl.UsesUser(), tmpl.UsesDomain()}; got != want {
			t.Errorf("%s: uses user and domain: %v, want %v", in, got, want)
		}
	}
}

func TestBind(t *testing.T) {
	for _, tt := range []struct {
		in, pgsql, mysql string
		args             []any
	}{
		{"SELECT 1", "SELECT 1", "SELECT 1", nil},
		{"WHERE u = %{user} AND d = %d", "WHERE u = $1 AND d = $2", "WHERE u = ? AND d = ?", []any{"bob@x", "x"}},
		{"u = '100%%' AND n=%n", "u = '100%' AND n=$1", "u = '100%' AND n=?", []any{"bob"}},
		{"u = 'it''s' AND %u", "u = 'it''s' AND $1", "u = 'it''s' AND ?", []any{"bob@x"}},
		{`u = "a" || %u -- c`, `u = "a" || $1 -- c`, `u = "a" || ? -- c`, []any{"bob@x"}},
		{"/* c */ %u", "/* c */ $1", "/* c */ ?", []any{"bob@x"}},
		{"-- 'c\n%u", "-- 'c\n$1", "-- 'c\n?", []any{"bob@x"}},
		{"'$1' '?' %u", "'$1' '?' $1", "'$1' '?' ?", []any{"bob@x"}},
	} {
		tmpl := parse(t, tt.in)
		for _, d := range []struct {
			name string
			Dialect
			want string
		}{{"pgsql", PostgreSQL(), tt.pgsql}, {"mysql", MySQL(), tt.mysql}} {
			if got, err := tmpl.Bind(d.Dialect); err != nil || got != d.want {
				t.Errorf("%s: %s: %q, %v; want %q", d.name, tt.in, got, err, d.want)
			}
		}
		if got := tmpl.Args("bob@x"); !slices.Equal(got, tt.args) {
			t.Errorf("%s: args %v, want %v", tt.in, got, tt.args)
		}
	}
}

// TestBindDialects has queries whose quotes end elsewhere in the other dialect.
func TestBindDialects(t *testing.T) {
	for _, tt := range []struct {
		in           string
		pgsql, mysql string // empty: no error
	}{
		{"u = '%u'", "%u is in quotes: variables are bound parameters, so remove the quotes around it", "remove the quotes"},
		{"u = '%n@%d'", "%n is in quotes: variables are bound parameters, so write it outside of them, such as username = %{user}", "such as"},
		{"a = %d AND u = '%{user}'", "%{user} is in quotes", "%{user} is in quotes"},
		{`u = "%u"`, "in quotes", "in quotes"},
		{`u = 'it''s %u'`, "in quotes", "in quotes"},
		{`u = '%u`, "in quotes", "in quotes"},
		{"u = `%u`", "", "in quotes"},
		{`'a\' AND u = %u`, "", "in quotes"},
		{`'a\' AND u = %u AND 'b'`, "", "in quotes"},
		{`E'a\' %u'`, "in quotes", "in quotes"},
		{`e'a\'' || %u`, "", ""},
		{"$$%u$$", "in quotes", ""},
		{"$a1$ $$ %u $a1$", "in quotes", ""},
		{"$a$ x $a$ %u", "", ""},
		{"-- %u", "%u is in a comment: remove it there", "comment"},
		{"/* ' */ %u /* %d */", "%d is in a comment", "%d is in a comment"},
		{"# %u", "", "comment"},
		{"u = $1 AND %u", "has a placeholder of its own", ""},
		{"u = ? AND %u", "", "has a placeholder of its own"},
	} {
		for _, d := range []struct {
			name string
			Dialect
			want string
		}{{"pgsql", PostgreSQL(), tt.pgsql}, {"mysql", MySQL(), tt.mysql}} {
			_, err := parse(t, tt.in).Bind(d.Dialect)
			if (err == nil) != (d.want == "") || err != nil && !strings.Contains(err.Error(), d.want) {
				t.Errorf("%s: %s: %v, want %q", d.name, tt.in, err, d.want)
			}
		}
	}
}

func FuzzBind(f *testing.F) {
	for _, s := range []string{"a = %u", "'%n@%d'", "E'\\'%u", "$a$%u$a$", "%{user | domain | upper}", "-- %u\n%%", "`%u`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tmpl, err := ParseTemplate(s)
		if err != nil {
			return
		}
		for _, d := range []Dialect{PostgreSQL(), MySQL()} {
			query, err := tmpl.Bind(d)
			if err == nil && strings.Contains(query, marker) {
				t.Errorf("%q: %q", s, query)
			}
		}
		if got := tmpl.Expand("", nil); strings.Count(s, "%") == 0 && got != s {
			t.Errorf("%q became %q", s, got)
		}
	})
}
