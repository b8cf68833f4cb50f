package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// passdbSecret is in every secret of these tests.
const passdbSecret = "hunter2"

const (
	sqlPassdb = `[passdb.vmail]
driver = "pgsql"
connect = "host=db.example user=mailauthd password=hunter2 sslmode=verify-full"
query = "SELECT password FROM mailbox WHERE username = %{user}"
default_password_scheme = "BLF-CRYPT"
`
	ldapPassdb = `[passdb.vmail]
driver = "ldap"
uris = ["ldaps://dc1.example"]
auth_dn = "cn=mailauthd,dc=example"
auth_dn_password_file = "ldap.pass"
base = "ou=people,dc=example"
filter = "(mail=%{user})"
`
	passdbDomain = `[domains."db.example"]
servers = ["s"]
verify = "vmail"
`
	anyPassdbDomain = `[domains."*"]
servers = ["s"]
verify = "vmail"
`
)

// withPassdb writes a configuration with a passdb, and the file of its password.
func withPassdb(t *testing.T, text string) string {
	t.Helper()
	return write(t, "m.toml", minimal+text, "ldap.pass", passdbSecret+"\n", "vmail.dsn", "host=db.example password=hunter2 sslmode=verify-full\n", "empty", "\n")
}

// edited replaces the line that begins with the key, or adds it.
func edited(section, line string) string {
	key, _, _ := strings.Cut(line, " = ")
	lines := strings.SplitAfter(section, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, key+" = ") {
			lines[i] = line + "\n"
			return strings.Join(lines, "")
		}
	}
	return section + line + "\n"
}

// without removes the line of a key.
func without(section, key string) string {
	var kept strings.Builder
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, key+" = ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// minimalLines is the number of lines before the text of a test.
var minimalLines = strings.Count(minimal, "\n")

// Each error says where it is, and what would be right. None has a secret.
func TestPassdbErrors(t *testing.T) {
	for _, tt := range []struct {
		text string
		line int // of the text; 0: not compared
		want string
	}{
		{without(sqlPassdb, "driver"), 1, `passdb.vmail.driver: is missing: want one of "pgsql", "mysql", "ldap"`},
		{edited(sqlPassdb, `driver = "sqlite"`), 2, `passdb.vmail.driver: want one of "pgsql", "mysql", "ldap"`},
		{edited(sqlPassdb, `driver = 1`), 2, `passdb.vmail.driver: want one of "pgsql", "mysql", "ldap", not a number`},
		{without(sqlPassdb, "connect"), 1, `passdb.vmail.connect: is missing: want the driver's connection string, such as "host=/run/postgresql dbname=mail", or connect_file`},
		{edited(sqlPassdb, `connect_file = "vmail.dsn"`), 3, "passdb.vmail.connect: connect_file is set as well: remove one of them"},
		{edited(without(sqlPassdb, "connect"), `connect_file = "nonesuch"`), 5, "passdb.vmail.connect_file: "},
		{edited(without(sqlPassdb, "connect"), `connect_file = "empty"`), 5, "passdb.vmail.connect_file: the file's first line is empty: write the secret there"},
		{edited(sqlPassdb, `connect = "host=h password=hunter2 port=hunter2"`), 3, "passdb.vmail.connect: not a connection string of PostgreSQL: want one such as "},
		{edited(sqlPassdb, `connect = "hunter2"`), 3, "passdb.vmail.connect: not a connection string of PostgreSQL: want one such as "},
		{edited(edited(sqlPassdb, `driver = "mysql"`), `connect = "u:hunter2@h"`), 3, "passdb.vmail.connect: not a connection string of MySQL: want one such as "},

		{without(sqlPassdb, "query"), 1, `passdb.vmail.query: is missing: want a query such as "SELECT password FROM users WHERE name = %{user}"`},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox"`), 4, "passdb.vmail.query: has no user in it: want a variable such as %{user}"},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE domain = %d"`), 4, "passdb.vmail.query: has no user in it: want a variable such as %{user}"},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE username = '%u'"`), 4, "passdb.vmail.query: %u is in quotes: variables are bound parameters, so remove the quotes around it"},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE username LIKE '%{user}-x'"`), 4, "passdb.vmail.query: %{user} is in quotes: variables are bound parameters, so write it outside of them"},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE username = %{login}"`), 4, "passdb.vmail.query: unknown variable %{login} (known: %{user}, %{username}, %{domain}, %u, %n, %d, and %% for a percent sign)"},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE username = %w"`), 4, `passdb.vmail.query: unknown variable "%w" (known: %{user}, `},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE username = %{user | md5}"`), 4, `passdb.vmail.query: unknown filter "md5" (known: username, domain, lower, upper)`},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE username = %{user"`), 4, "passdb.vmail.query: variable without its closing brace: want %{user}"},
		{edited(sqlPassdb, `query = "SELECT password FROM mailbox WHERE username = $1 AND %u <> ''"`), 4, "passdb.vmail.query: has a placeholder of its own: write a variable such as %{user} instead"},
		{edited(sqlPassdb, `domain_query = "SELECT 1 FROM domain WHERE domain = %u"`), 6, "passdb.vmail.domain_query: want the variable %{domain}, and no other"},
		{edited(sqlPassdb, `default_password_scheme = "hunter2"`), 5, "passdb.vmail.default_password_scheme: unknown scheme (known: "},

		{edited(sqlPassdb, `max_connections = 0`), 6, "passdb.vmail.max_connections: must be from 1 to 82"},
		{edited(ldapPassdb, `max_connections = 83`), 8, "passdb.vmail.max_connections: must be from 1 to 82"},
		{edited(sqlPassdb, `timeout = "0s"`), 6, `passdb.vmail.timeout: `},
		{edited(sqlPassdb, `timeout = "21s"`), 6, `passdb.vmail.timeout: `},
		{edited(ldapPassdb, `timeout = 2`), 8, `passdb.vmail.timeout: want a duration such as "2s", not a number`},

		{edited(sqlPassdb, `uris = ["ldaps://dc1.example"]`), 6, `passdb.vmail.uris: has no effect with driver = "pgsql": remove it`},
		{edited(sqlPassdb, `bind = false`), 6, `passdb.vmail.bind: has no effect with driver = "pgsql": remove it`},
		{edited(sqlPassdb, `auth_dn_password_file = "ldap.pass"`), 6, `passdb.vmail.auth_dn_password_file: has no effect with driver = "pgsql": remove it`},
		{edited(ldapPassdb, `connect = "hunter2"`), 8, `passdb.vmail.connect: has no effect with driver = "ldap": remove it`},
		{edited(ldapPassdb, `connect_file = "vmail.dsn"`), 8, `passdb.vmail.connect_file: has no effect with driver = "ldap": remove it`},
		{edited(ldapPassdb, `query = "SELECT %u"`), 8, `passdb.vmail.query: has no effect with driver = "ldap": remove it`},
		{edited(ldapPassdb, `domain_query = "SELECT %d"`), 8, `passdb.vmail.domain_query: has no effect with driver = "ldap": remove it`},
		{edited(sqlPassdb, `querry = "x"`), 6, `passdb.vmail.querry: unknown key: did you mean "query"? (known: driver,`},

		{without(ldapPassdb, "uris"), 1, `passdb.vmail.uris: want 1 to 16 servers, such as ["ldaps://dc1.example"]`},
		{edited(ldapPassdb, `uris = ["ldaps://user:hunter2@dc1.example"]`), 0, "uri has a user name; write it as auth_dn"},
		{edited(ldapPassdb, `uris = ["dc1.example"]`), 0, `uri "dc1.example" begins with neither ldap://, ldaps:// nor ldapi://`},
		{edited(ldapPassdb, `scope = "tree"`), 8, `passdb.vmail.scope: want one of "base", "onelevel", "subtree"`},
		{edited(ldapPassdb, `base = "people"`), 0, `base "people" is not a DN, such as ou=people,dc=example`},
		{edited(ldapPassdb, `filter = "(mail=x)"`), 7, "passdb.vmail.filter: every user would find the same entry: write %{user} into it, such as (mail=%{user})"},
		{edited(ldapPassdb, `filter = "mail=%u"`), 7, "passdb.vmail.filter: want one such as (mail=%{user}), in parentheses"},
		{edited(ldapPassdb, `filter = "(mail=%{user | md5})"`), 7, `passdb.vmail.filter: unknown filter "md5" (known: username, domain, lower, upper)`},
		{edited(ldapPassdb, `bind_userdn = "cn=x"`), 8, "passdb.vmail.bind_userdn: every user would bind as the same: write %{user} into it"},
		{edited(ldapPassdb, `fields = { passwort = "userPassword" }`), 8, `passdb.vmail.fields: "passwort" is no field of a user`},
		{edited(ldapPassdb, `bind = false`), 0, `passdb.vmail.fields: without bind = true the password must be an attribute, such as password = "userPassword"`},
		{edited(ldapPassdb, `ca_file = "nonesuch.pem"`), 8, "passdb.vmail.ca_file: "},
		{edited(ldapPassdb, `auth_dn_password_file = "empty"`), 5, "passdb.vmail.auth_dn_password_file: the file's first line is empty: write the secret there"},
		{without(ldapPassdb, "auth_dn_password_file"), 0, "auth_dn needs a password"},

		{strings.Replace(sqlPassdb, "vmail", "users", 1), 1, "passdb.users: this name has another meaning in verify: choose another"},
		{strings.Replace(sqlPassdb, "vmail", "upstream", 1), 1, "passdb.upstream: this name has another meaning in verify: choose another"},
		{sqlPassdb + strings.Replace(passdbDomain, "vmail", "mail", 1), 8, `domains."db.example".verify: want one of "upstream", "users", "vmail", or the name of a passdb`},
		{anyPassdbDomain, 3, `domains."*".verify: want one of "upstream", "users", or the name of a passdb`},
		{sqlPassdb + strings.Replace(anyPassdbDomain, "vmail", "upstream", 1), 8, `domains."*".verify: must be the name of a passdb: otherwise every domain of the world would be sent to these servers`},
		{sqlPassdb + without(anyPassdbDomain, "verify"), 6, `domains."*".verify: must be the name of a passdb: otherwise`},
		{sqlPassdb + strings.Replace(anyPassdbDomain, "vmail", "users", 1), 8, `domains."*".verify: must be the name of a passdb`},
		{sqlPassdb + anyPassdbDomain + "catch_all = true\n", 9, `domains."*".catch_all: needs a passdb with domain_query: otherwise mail to every domain of the world would be taken`},
	} {
		c, err := Load(withPassdb(t, tt.text))
		if err == nil {
			c.Close()
			t.Errorf("loads: want %q\n%s", tt.want, tt.text)
			continue
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		if !strings.Contains(first, tt.want) || !strings.Contains(first, "m.toml:") {
			t.Errorf("%s\n%v\nwant %q", tt.text, err, tt.want)
		}
		if at := fmt.Sprintf("m.toml:%d: ", minimalLines+tt.line); tt.line > 0 && !strings.Contains(first, at) {
			t.Errorf("%s\n%v\nis not at %s", tt.text, err, at)
		}
		if strings.Contains(err.Error(), passdbSecret) {
			t.Errorf("a secret is in %v", err)
		}
	}
}

func TestPassdbTwice(t *testing.T) {
	_, err := Load(write(t, "m.toml", "include = [\"b.toml\"]\n"+minimal+sqlPassdb+passdbDomain, "b.toml", "\n"+sqlPassdb))
	if err == nil || !strings.Contains(err.Error(), "b.toml:2: passdb.vmail: is already defined in ") || !strings.Contains(err.Error(), "m.toml:9: rename or remove one of them") {
		t.Errorf("error %v", err)
	}
}

func TestPassdbDefaults(t *testing.T) {
	for driver, text := range map[string]string{"pgsql": sqlPassdb, "ldap": ldapPassdb} {
		c, err := Load(withPassdb(t, text+passdbDomain))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p := c.Passdbs[0]
		if len(c.Passdbs) != 1 || p.Name != "vmail" || p.MaxConnections != 8 || (p.Lookup != nil) != (driver == "ldap") || p.HasDomain != nil {
			t.Errorf("%s: %+v", driver, p)
		}
		if timeout := reflect.ValueOf(p.Settings).FieldByName("Timeout").Interface(); timeout != 2*time.Second {
			t.Errorf("%s: timeout %v", driver, timeout)
		}
		if d := c.Domains.Find("db.example"); d.Verify != "vmail" {
			t.Errorf("%+v", d)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%s: %v", driver, c.Warnings)
		}
	}
	c, err := Load(withPassdb(t, sqlPassdb+"domain_query = \"SELECT 1 FROM domain WHERE domain = %d\"\n"+anyPassdbDomain+"catch_all = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if d := c.Domains.Find("elsewhere.example"); d == nil || c.Passdbs[0].HasDomain == nil {
		t.Errorf("%+v, %+v", d, c.Passdbs[0])
	}
}

// Settings are equal if the passdb need not be opened again.
func TestPassdbSettings(t *testing.T) {
	dir := filepath.Dir(withPassdb(t, ""))
	file := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file("ca.pem", certificate)
	settings := func(text string) any {
		t.Helper()
		file("m.toml", minimal+text+passdbDomain)
		c, err := Load(filepath.Join(dir, "m.toml"))
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		return c.Passdbs[0].Settings
	}
	withCA := edited(ldapPassdb, `ca_file = "ca.pem"`)
	for _, text := range []string{sqlPassdb, ldapPassdb, withCA} {
		if !reflect.DeepEqual(settings(text), settings(text)) {
			t.Errorf("not equal to itself:\n%s", text)
		}
	}
	for _, texts := range [][2]string{
		{sqlPassdb, ldapPassdb},
		{ldapPassdb, withCA},
		{sqlPassdb, edited(sqlPassdb, `timeout = "3s"`)},
		{sqlPassdb, edited(sqlPassdb, `max_connections = 9`)},
		{sqlPassdb, edited(sqlPassdb, `default_password_scheme = "PLAIN"`)},
		{sqlPassdb, edited(sqlPassdb, `connect = "host=db.example user=mailauthd password=other"`)},
		{sqlPassdb, edited(sqlPassdb, `domain_query = "SELECT %d"`)},
		{sqlPassdb, "[auth]\nallow_weak_schemes = true\n" + sqlPassdb},
		{ldapPassdb, edited(ldapPassdb, `bind_userdn = "uid=%n,dc=example"`)},
		{ldapPassdb, edited(ldapPassdb, `fields = { host = "mailHost" }`)},
	} {
		if reflect.DeepEqual(settings(texts[0]), settings(texts[1])) {
			t.Errorf("equal:\n%s\n%s", texts[0], texts[1])
		}
	}
	before := settings(ldapPassdb)
	file("ldap.pass", "other\n")
	if reflect.DeepEqual(before, settings(ldapPassdb)) {
		t.Error("another password of auth_dn is no change")
	}
}

// publish lets others read a file. It returns false if they cannot reach it.
func publish(t *testing.T, path string) bool {
	t.Helper()
	dir := filepath.Dir(path)
	if err := errors.Join(os.Chmod(path, 0o644), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	return othersCanRead(path)
}

func TestPassdbWarnings(t *testing.T) {
	const used = passdbDomain
	connectFile := edited(without(sqlPassdb, "connect"), `connect_file = "vmail.dsn"`)
	for _, tt := range []struct {
		text   string
		public string // the file that others can read
		want   string // empty: no warning
	}{
		{sqlPassdb, "", "passdb.vmail: no domain uses it: set verify = \"vmail\" in a domain, or remove this section"},
		{sqlPassdb + used, "", ""},
		{sqlPassdb + used, "m.toml", `holds passwords, and others can read it: run "chmod o-r `},
		{connectFile + used, "m.toml", ""},
		{connectFile + used, "vmail.dsn", "passdb.vmail.connect_file: others can read "},
		{ldapPassdb + used, "m.toml", ""},
		{ldapPassdb + used, "ldap.pass", "passdb.vmail.auth_dn_password_file: others can read "},
		{edited(sqlPassdb, `connect = "host=127.0.0.1 password=hunter2"`) + used, "", ""},
		{edited(sqlPassdb, `connect = "host=db.example password=hunter2 sslmode=require"`) + used, "", ""},
		{edited(sqlPassdb, `connect = "host=db.example password=hunter2"`) + used, "", "passdb.vmail.connect: password hashes may come from db.example in clear: add sslmode=verify-full to the connection string"},
		{edited(edited(sqlPassdb, `driver = "mysql"`), `connect = "m:hunter2@tcp(db.example)/mail"`) + used, "", "passdb.vmail.connect: password hashes may come from db.example in clear: add tls=true to the connection string"},
		{edited(edited(sqlPassdb, `driver = "mysql"`), `connect = "m:hunter2@tcp(db.example)/mail?tls=true"`) + used, "", ""},
		{edited(ldapPassdb, `uris = ["ldap://dc1.example"]`) + used, "", "passdb.vmail.uris: passwords go to ldap://dc1.example in clear: use ldaps://, or starttls = true"},
		{edited(edited(ldapPassdb, `uris = ["ldap://dc1.example"]`), "starttls = true") + used, "", ""},
		{edited(ldapPassdb, `uris = ["ldap://127.0.0.1"]`) + used, "", ""},
		{sqlPassdb + used + "[servers.store]\nhost = \"192.0.2.2\"\n", "", ""}, // the field host may name it
	} {
		path := withPassdb(t, tt.text)
		if tt.public != "" && !publish(t, filepath.Join(filepath.Dir(path), tt.public)) {
			continue
		}
		c, err := Load(path)
		if err != nil {
			t.Errorf("%v\n%s", err, tt.text)
			continue
		}
		c.Close()
		got := fmt.Sprint(c.Warnings)
		if tt.want == "" && len(c.Warnings) > 0 || !strings.Contains(got, tt.want) || len(c.Warnings) > 1 || strings.Contains(got, passdbSecret) {
			t.Errorf("%s\n%s can be read: %s, want %q", tt.text, tt.public, got, tt.want)
		}
	}
}

// TestFilesOfConnectionStrings tests that a passdb is another one when a file has changed that its connection string names.
func TestFilesOfConnectionStrings(t *testing.T) {
	for _, connect := range []string{"host=db.example passfile='%s'", "postgres://db.example/mail?passfile=%s"} {
		path := withPassdb(t, "")
		passfile := filepath.Join(filepath.Dir(path), "pgpass")
		section := edited(sqlPassdb, fmt.Sprintf("connect = %q", fmt.Sprintf(connect, passfile)))
		path = withPassdb(t, section+passdbDomain)
		settings := func(secret string) any {
			if err := os.WriteFile(passfile, []byte("*:*:*:*:"+secret+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			return c.Passdbs[0].Settings
		}
		before := settings("one")
		if !reflect.DeepEqual(before, settings("one")) {
			t.Errorf("%s: another passdb, but nothing has changed", connect)
		}
		if reflect.DeepEqual(before, settings("two")) {
			t.Errorf("%s: the same passdb, but the file has changed", connect)
		}
	}
}

// A directory that hangs is set aside, because package ldapdb notices only servers that cannot be connected to.
func TestHangingDirectoryIsAnOutage(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // connects, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	section := fmt.Sprintf("[passdb.vmail]\ndriver = \"ldap\"\nuris = [\"ldap://%s\"]\nbase = \"dc=example\"\nfilter = \"(mail=%%{user})\"\ntimeout = \"50ms\"\n", silent.Addr())
	c, err := Load(withPassdb(t, section+passdbDomain))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := c.Passdbs[0]
	if _, _, err := p.Lookup(t.Context(), "bob@db.example"); err == nil || !p.IsOutage(err) {
		t.Errorf("%v is no outage", err)
	}
	if p.IsOutage(errors.New("two entries")) {
		t.Error("an error about one user is an outage")
	}
}
