package dovecotconf

import (
	"encoding/pem"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailauthd/internal/config"
)

var update = flag.Bool("update", false, "write the golden files")

// samples returns the files of testdata. A name begins with a kind, and has "broken" in it if the section cannot load.
func samples(t testing.TB) (names []string) {
	names, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	return names
}

func kindOf(name string) string {
	kind, _, _ := strings.Cut(filepath.Base(name), "-")
	return kind
}

func TestConvert(t *testing.T) {
	for _, name := range samples(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Convert(kindOf(name), filepath.Base(name), string(text))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, strings.TrimSuffix(name, ".conf")+".golden", r.golden())
			err = load(t, r)
			if broken := strings.Contains(name, "broken"); broken != (err != nil) {
				t.Errorf("loading the section: %v", err)
			} else if broken && r.Complete() {
				t.Error("nothing is told about a section that cannot load")
			}
		})
	}
}

// golden describes all of a result.
func (r *Result) golden() string {
	var b strings.Builder
	b.WriteString(r.Sections)
	for _, s := range r.Secrets {
		fmt.Fprintf(&b, "# secret %s of line %d: %s\n# %s\n", s.File, s.Line, s.Value, s.What)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "# line %d: warning %t: %s\n", f.Line, f.Warning, f.Text)
	}
	return b.String()
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

var header = regexp.MustCompile(`(?m)^\[passdb\.([^]]+)\]`)

// load loads the sections with a server and a domain for each of them.
func load(t testing.TB, r *Result) error {
	dir := t.TempDir()
	main := "[listen]\nhttp = [\"127.0.0.1:1\"]\n[auth]\nallow_weak_schemes = true\n[servers.s]\nhost = \"192.0.2.1\"\n" + r.Sections
	for i, m := range header.FindAllStringSubmatch(r.Sections, -1) {
		main += fmt.Sprintf("[domains.\"d%d.example\"]\nservers = [\"s\"]\nverify = %q\n", i, m[1])
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mailauthd.toml", main)
	write("ca.pem", authority)
	for _, s := range r.Secrets {
		write(s.File, s.Value+"\n")
	}
	c, err := config.Load(filepath.Join(dir, "mailauthd.toml"))
	if err == nil {
		c.Close()
	}
	return err
}

var authority = func() string {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}()

// Every secret of the samples has "s3cret" or "p@ss" in it. Nothing but the secrets may.
func TestSecretsAreNotTold(t *testing.T) {
	secrets := 0
	for _, name := range samples(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Convert(kindOf(name), name, string(text))
		if err != nil {
			t.Fatal(err)
		}
		secrets += len(r.Secrets)
		r.Secrets = append([]Secret(nil), r.Secrets...)
		for i := range r.Secrets {
			r.Secrets[i].Value = ""
		}
		if got := r.golden(); strings.Contains(got, "s3cret") || strings.Contains(got, "p@ss") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if secrets < 6 {
		t.Errorf("the samples have %d secrets", secrets)
	}
}

func TestRefusedFiles(t *testing.T) {
	for text, want := range map[string]string{
		"":                          `f: no SQL database of Dovecot: want dovecot-sql.conf.ext, or a file of Dovecot 2.4 with "passdb sql {"`,
		"[servers.a]\nhost = \"b\"": `f: no SQL database of Dovecot`,
		"driver = pgsql\x00":        `f: no SQL database of Dovecot`,
		"uris = ldap://a\nbase = b": `f: users in LDAP: want "mailauthd migrate dovecot-ldap"`,
		"passdb {\n driver = sql\n args = /etc/dovecot/dovecot-sql.conf.ext\n}": "f:1: a passdb of Dovecot 2.3: want the file that args names instead",
		"passdb ldap {\n}":                 "f: no SQL database of Dovecot",
		"passdb sql {\n}":                  "f:1: no driver: want one of pgsql, mysql",
		"driver = sqlite\nconnect = /a":    "f:1: mailauthd has no such driver: want one of pgsql, mysql",
		strings.Repeat("#\n", MaxFile/2+1): "f: larger than 1048576 bytes: want a configuration of Dovecot",
		strings.Repeat("passdb sql {\n sql_driver = pgsql\n}\n", 1) + many(maxPassdbs): "f: more than 64 databases",
	} {
		r, err := Convert(SQL, "f", text)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") || r != nil {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "passdb db%d {\n driver = sql\n}\n", i)
	}
	return b.String()
}

func TestBindable(t *testing.T) {
	for _, c := range []struct{ driver, query, want string }{
		{"pgsql", "a = '%u'", "a = %{user}"},
		{"pgsql", "a = '%Ln' and b = '%Ud'", "a = %{user | username} and b = %{user | domain | upper}"},
		{"pgsql", "a = '%{username}' or '%{user | domain}'", "a = %{user | username} or %{user | domain}"},
		{"pgsql", `a = "%u"`, `a = "%{user}"`},
		{"mysql", `a = "%u"`, "a = %{user}"},
		{"pgsql", "a = 'it''s ''%u'''", "a = 'it''s ''%{user}'''"},
		{"pgsql", "a = E'%u'", "a = E'%{user}'"},
		{"mysql", "a = _utf8'%u'", "a = _utf8'%{user}'"},
		{"mysql", `a = 'it\'s' and b = '%u'`, `a = 'it\'s' and b = %{user}`},
		{"pgsql", `a = 'c:\' and b = '%u'`, `a = 'c:\' and b = %{user}`},
		{"pgsql", "/* don't */ a = '%u'", "/* don't */ a = %{user}"},
		{"pgsql", "a = '%n@%d'", "a = '%{user | username}@%{user | domain}'"},
		{"pgsql", "a LIKE '%%x' and b = '%u'", "a LIKE '%%x' and b = %{user}"},
		{"pgsql", "a = '%r'", "a = %r"},
		{"mysql", "concat('%u')", "concat(%{user})"},
	} {
		if got := bindable(c.query, c.driver); got != c.want {
			t.Errorf("%s: %s: got %s, want %s", c.driver, c.query, got, c.want)
		}
	}
}
