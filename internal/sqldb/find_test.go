package sqldb

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"mailauthd/internal/mailaddr"
	"mailauthd/internal/users"
)

// find looks a user up who must be found.
func find(t testing.TB, d *DB, name string) *users.User {
	t.Helper()
	u, err := d.Find(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	if u == nil {
		t.Fatalf("no user %s", name)
	}
	return u
}

// right reports whether one of the passwords of a user is right.
func right(u *users.User, pass string) bool {
	return slices.ContainsFunc(u.Passwords, func(p users.Password) bool {
		ok, err := p.Hash.Verify(pass)
		return ok && err == nil
	})
}

func TestEveryField(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		d := s.db(t, nil)
		s.insert(t, "bob@x.org", "password", "{PLAIN}one")
		s.insert(t, "all@x.org", "name", "All", "password", "two", "allow_nets", "192.0.2.0/24,::1", "nologin", "y", "reason", "left",
			"host", "dovecot1", "destuser", "al", "pass", "p")
		s.insert(t, "none@x.org")
		u := find(t, d, "bob@x.org")
		if u.Name != "bob@x.org" || !right(u, "one") || u.Settings().Access.NoLogin != nil || u.Settings().Access.AllowNets != nil || u.Settings().Servers != nil || u.Settings().Login != "" {
			t.Errorf("NULLs: %+v", u)
		}
		u = find(t, d, "all@x.org")
		if u.Name != "all@x.org" || !right(u, "two") || u.Settings().Access.NoLogin == nil || u.Settings().Access.Reason != "left" || len(u.Settings().Access.AllowNets) != 2 ||
			!slices.Equal(u.Settings().Servers, []string{"dovecot1"}) || u.Settings().Login != "al" || u.Settings().UpstreamPassword != "p" {
			t.Errorf("every field: %+v", u)
		}
		if u := find(t, d, "none@x.org"); len(u.Passwords) != 0 {
			t.Errorf("no password: %v", u.Passwords)
		}
		if u, err := d.Find(context.Background(), "nobody@x.org"); u != nil || err != nil {
			t.Errorf("unknown user: %v, %v", u, err)
		}
	})
}

func TestSeveralRows(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		d := s.db(t, nil)
		for i := range users.MaxPasswords {
			s.insert(t, "bob@x.org", "password", fmt.Sprint("p", i))
		}
		for range MaxRows - users.MaxPasswords {
			s.insert(t, "bob@x.org", "password", "p1")
		}
		if u := find(t, d, "bob@x.org"); len(u.Passwords) != users.MaxPasswords || !right(u, "p15") {
			t.Errorf("%d passwords", len(u.Passwords))
		}
		s.insert(t, "bob@x.org", "password", "p1")
		if u, err := d.Find(context.Background(), "bob@x.org"); u != nil || err == nil || err.Error() != `passdb "vmail": user "bob@x.org": more than 64 rows` {
			t.Errorf("%v, %v", u, err)
		}
		s.insert(t, "carol@x.org", "password", "one", "host", "a")
		s.insert(t, "carol@x.org", "password", "two", "host", "b")
		if u, err := d.Find(context.Background(), "carol@x.org"); u != nil || err == nil || !strings.Contains(err.Error(), "field host: rows 1 and 2 differ") {
			t.Errorf("%v, %v", u, err)
		}
	})
}

// TestValuesThatTheMapRefuses tests that such values are errors without the value.
func TestValuesThatTheMapRefuses(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		d := s.db(t, nil)
		for field, value := range map[string]string{
			"password": "{HUNTER2}x", "allow_nets": "hunter2", "nologin": "hunter2", "destuser": "hunter2 ", "pass": "hunter2\n", "name": "hunter2@",
		} {
			name := field + "@x.org"
			s.insert(t, name, "password", "x")
			s.exec(t, "UPDATE mailbox SET "+field+" = '"+value+"' WHERE username = '"+name+"'")
			u, err := d.Find(context.Background(), name)
			if err == nil || u != nil || !strings.HasPrefix(err.Error(), `passdb "vmail": user "`+name+`": `) || strings.Contains(strings.ToLower(err.Error()), "hunter2") {
				t.Errorf("%s: %v, %v", field, u, err)
			}
		}
		s.insert(t, "long@x.org", "password", "x")
		d = s.db(t, func(c *Config) {
			c.Query = "SELECT password, repeat('x', 20000) AS reason FROM mailbox WHERE username = %{user}"
		})
		if u, err := d.Find(context.Background(), "long@x.org"); err == nil || !strings.Contains(err.Error(), "field reason: longer than 16384 bytes") {
			t.Errorf("a long value: %v, %v", u, err)
		}
	})
}

// TestOtherTypes tests that columns of other types become their text.
func TestOtherTypes(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		s.insert(t, "bob@x.org", "password", "12345")
		s.insert(t, "carol@x.org", "password", "x")
		d := s.db(t, func(c *Config) {
			c.Query = "SELECT CAST(password AS decimal(8)) AS password, 1 = 1 AS nologin FROM mailbox WHERE username = %{user}"
		})
		if u := find(t, d, "bob@x.org"); !right(u, "12345") || u.Settings().Access.NoLogin == nil {
			t.Errorf("%+v", u)
		}
		d = s.db(t, func(c *Config) { c.Query = "SELECT password, 1 = 2 AS nologin FROM mailbox WHERE username = %{user}" })
		if u, err := d.Find(context.Background(), "bob@x.org"); u != nil || err == nil || !strings.Contains(err.Error(), "field nologin: want y for yes, or NULL for no") {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// hostile are names that would change a query that is put together of strings.
var hostile = []string{
	`' OR '1'='1`, `' OR 1=1 -- `, `'; DROP TABLE mailbox; --`, `\' OR 1=1 -- `, `\`, `'`, `''`, `"`, "`", `%`, `_%`, `%{user}`, `$1`, `?`, `$$`, `/*`, `*/`,
	`--`, `#`, "\t", ";", "\x01", "\x7f", "üñ", "日本", "\U0001F600", `\x27`, `%27`, "x' UNION SELECT 'x', '{PLAIN}x' -- ", `\0`, `\Z`, `$(id)`, "{{.}}",
}

func TestHostileNames(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		s.insert(t, "victim@x.org", "password", "x")
		d := s.db(t, nil)
		for i, local := range hostile {
			name := local + "@x.org"
			if u, err := d.Find(context.Background(), name); u != nil || err != nil {
				t.Errorf("%q before it exists: %v, %v", name, u, err)
			}
			s.insert(t, name, "name", name, "password", fmt.Sprint("p", i))
			canonical, _ := mailaddr.User(name)
			if u := find(t, d, name); u.Name != canonical || !right(u, fmt.Sprint("p", i)) || len(u.Passwords) != 1 {
				t.Errorf("%q: found %q with %d passwords", name, u.Name, len(u.Passwords))
			}
		}
		for _, want := range arrived(s) {
			until(t, "the server logs "+want, func() bool {
				log, err := os.ReadFile(s.log)
				return err == nil && strings.Contains(string(log), want)
			})
		}
	})
}

// arrived returns what the server's log must contain.
func arrived(s *server) []string {
	if s.driver == "pgsql" {
		return []string{`FROM mailbox WHERE username = $1`, `DETAIL:  parameters: $1 = '''; DROP TABLE mailbox; --@x.org'`}
	}
	return []string{"Prepare\tSELECT name AS user", "FROM mailbox WHERE username = ?", `Execute`, `\'; DROP TABLE mailbox; --@x.org'`}
}

// TestNamesThatAreNotSent tests names that no client can send, or that a database cannot hold.
func TestNamesThatAreNotSent(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		d := s.db(t, nil)
		for _, name := range []string{"a\x00b@x.org", "a\r@x.org", "a\n@x.org", "\xff@x.org", "\xc3@x.org", strings.Repeat("a", 64<<10), strings.Repeat("a", 512) + "@x"} {
			if u, err := d.Find(context.Background(), name); u != nil || err != nil {
				t.Errorf("%.20q: %v, %v", name, u, err)
			}
		}
		if n := d.Stats().Queries; n != 0 {
			t.Errorf("%d queries", n)
		}
	})
}

// TestOtherCharset tests that a name with characters that the column cannot hold is unknown, and no error.
func TestOtherCharset(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		if s.driver == "pgsql" {
			s.exec(t, "DROP DATABASE IF EXISTS latin", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
			d := s.db(t, func(c *Config) {
				c.Connect = strings.Replace(c.Connect, "dbname=postgres", "dbname=latin", 1)
				c.Query = `SELECT 'x' AS password WHERE 'b' || chr(252) || '@x.org' = %{user}`
			})
			checkOtherCharset(t, d)
			return
		}
		s.exec(t, "DROP TABLE IF EXISTS latin", "CREATE TABLE latin (username varchar(200)) CHARACTER SET latin1", "GRANT SELECT ON latin TO mailauthd",
			"INSERT INTO latin VALUES ('bü@x.org')")
		checkOtherCharset(t, s.db(t, func(c *Config) {
			c.Query = "SELECT username AS user, 'x' AS password FROM latin WHERE username = %{user}"
		}))
	})
}

func checkOtherCharset(t *testing.T, d *DB) {
	t.Helper()
	find(t, d, "bü@x.org")
	if u, err := d.Find(context.Background(), "日本@x.org"); u != nil || err != nil {
		t.Errorf("%v, %v", u, err)
	}
}

func TestHasDomain(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		s.insert(t, "x.org", "name", "1")
		s.insert(t, "closed.org", "name", "0")
		s.insert(t, "null.org")
		d := s.db(t, func(c *Config) { c.DomainQuery = "SELECT name FROM mailbox WHERE username = %{user | domain}" })
		for domain, want := range map[string]bool{"x.org": true, "closed.org": false, "null.org": false, "other.org": false, "' or 1=1": false, "": false} {
			if got, err := d.HasDomain(context.Background(), domain); got != want || err != nil {
				t.Errorf("%s: %v, %v", domain, got, err)
			}
		}
		d = s.db(t, func(c *Config) { c.DomainQuery = "SELECT count(*) FROM mailbox WHERE username = %d" })
		for domain, want := range map[string]bool{"x.org": true, "other.org": false} {
			if got, err := d.HasDomain(context.Background(), domain); got != want || err != nil {
				t.Errorf("count, %s: %v, %v", domain, got, err)
			}
		}
		if _, err := s.db(t, nil).HasDomain(context.Background(), "x.org"); err == nil || !strings.Contains(err.Error(), "has no domain_query") {
			t.Error(err)
		}
	})
}

func TestColumns(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.table(t)
		d := s.db(t, func(c *Config) {
			c.Query = "SELECT password AS PASSWORD, 1 AS quota, 2 AS userdb_uid FROM mailbox WHERE username = %u"
		})
		got, err := d.Columns(context.Background())
		want := []Column{{"password", "the password", true}, {"quota", "ignored: unknown", false}, {"userdb_uid", "ignored: Dovecot's own", false}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
		for query, want := range map[string]string{
			"SELECT username FROM mailbox WHERE username = %u":                      `returns no column named "password"`,
			"SELECT password, name AS password FROM mailbox WHERE username = %u":    `two columns named "password"`,
			"SELECT password, name AS nopassword FROM mailbox WHERE username = %u":  "",
			"SELECT password AS password_noscheme FROM mailbox WHERE username = %u": "",
		} {
			_, err := s.db(t, func(c *Config) { c.Query = query }).Columns(context.Background())
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", query, err)
			}
		}
		_, err = s.db(t, func(c *Config) { c.DomainQuery = "SELECT 1 FROM absent WHERE name = %d" }).Columns(context.Background())
		if err == nil || !strings.Contains(err.Error(), "domain_query: query failed") {
			t.Errorf("wrong domain_query: %v", err)
		}
	})
}

// TestOtherSpellings tests that a name which the collation takes for another one finds no user, or the user by the right name.
func TestOtherSpellings(t *testing.T) {
	s := servers["mysql"](t)
	s.table(t)
	for _, c := range []string{"utf8mb4_general_ci", "utf8mb4_unicode_ci"} {
		s.exec(t, "ALTER TABLE mailbox CONVERT TO CHARACTER SET utf8mb4 COLLATE "+c)
		s.exec(t, "DELETE FROM mailbox")
		s.insert(t, "bob@x.org", "password", "x")
		bare := s.db(t, func(c *Config) { c.Query = "SELECT password FROM mailbox WHERE username = %{user}" })
		named := s.db(t, func(c *Config) { c.Query = "SELECT username AS user, password FROM mailbox WHERE username = %{user}" })
		find(t, bare, "bob@x.org")
		for _, name := range []string{"böb@x.org", "bób@x.org", "ｂob@x.org", "bo\u200bb@x.org", "b\x01ob@x.org", "bob@x.org "} {
			if u, err := bare.Find(context.Background(), name); u != nil || err != nil {
				t.Errorf("%s: %q is %v, %v", c, name, u, err)
			}
			if u, err := named.Find(context.Background(), name); err != nil || u != nil && u.Name != "bob@x.org" {
				t.Errorf("%s: %q is %v, %v", c, name, u, err)
			}
		}
		if u, err := named.Find(context.Background(), "böb@x.org"); err != nil || u == nil {
			t.Errorf("%s: %v, %v", c, u, err)
		}
	}
}
