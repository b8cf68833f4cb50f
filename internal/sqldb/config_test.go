package sqldb

import (
	"strings"
	"testing"

	"mailauthd/internal/dovecot"
)

func TestNewRefuses(t *testing.T) {
	const query = "SELECT password FROM mailbox WHERE username = %{user}"
	pgsql := func(connect string) Config { return Config{Driver: "pgsql", Connect: connect, Query: query} }
	mysql := func(connect string) Config { return Config{Driver: "mysql", Connect: connect, Query: query} }
	with := func(change func(*Config)) Config {
		c := pgsql("host=127.0.0.1")
		change(&c)
		return c
	}
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{with(func(c *Config) { c.Driver = "sqlite" }), `driver: unknown driver "sqlite" (known: pgsql, mysql)`},
		{with(func(c *Config) { c.Query = "" }), "query: has no user in it: want a variable such as %{user}"},
		{with(func(c *Config) { c.Query = "SELECT password FROM mailbox WHERE domain = %d" }), "query: has no user in it"},
		{with(func(c *Config) { c.Query = "SELECT '%u'" }), "query: %u is in quotes"},
		{with(func(c *Config) { c.Query = "SELECT %{password}" }), "query: unknown variable %{password} (known"},
		{with(func(c *Config) { c.DomainQuery = "SELECT 1" }), "domain_query: want the variable %{domain}, and no other"},
		{with(func(c *Config) { c.DomainQuery = "SELECT %u" }), "domain_query: want the variable %{domain}, and no other"},
		{with(func(c *Config) { c.DomainQuery = "SELECT '%d'" }), "domain_query: %d is in quotes"},
		{with(func(c *Config) { c.Fields.Scheme = "ROT13" }), "default_password_scheme: unknown scheme (known: ARGON2ID"},
		{with(func(c *Config) { c.Fields.Scheme = "MD5" }), "default_password_scheme: scheme MD5 is weak: set allow_weak_schemes"},

		{pgsql("s3cr3tDSN"), "connect: not a connection string of PostgreSQL: want one such as"},
		{pgsql("postgres://u:s3cr3tDSN@[::1/x"), "connect: not a connection string of PostgreSQL"},
		{pgsql("postgres://u:s3cr3tDSN/x@h:port/x"), "connect: not a connection string of PostgreSQL"},
		{pgsql("host=h password=s3cr3tDSN port=s3cr3tDSN"), "connect: not a connection string of PostgreSQL"},
		{pgsql("host=h password=s3cr3tDSN pool_max_conns=s3cr3tDSN"), "connect: not a connection string of PostgreSQL"},
		{pgsql("host=h sslmode=verify-full password=s3cr3tDSN sslrootcert=/nonesuch"), "connect: open /nonesuch: no such file"},
		{pgsql("host=h password=s3cr3tDSN default_query_exec_mode=simple_protocol"), "connect: default_query_exec_mode=simple_protocol does not bind"},
		{mysql("s3cr3tDSN"), "connect: not a connection string of MySQL: want one such as"},
		{mysql("u:s3cr3tDSN@h/x"), "connect: not a connection string of MySQL"},
		{mysql("u:s3cr3tDSN@tcp(h:1)/x?tls=s3cr3tDSN"), "connect: "},
		{mysql("u:s3cr3tDSN@tcp(h:1)/x?timeout=s3cr3tDSN"), "connect: not a connection string of MySQL"},
		{mysql("u:s3cr3tDSN@tcp(h:1)/x?collation=s3cr3tDSN"), "connect: "},
	} {
		d, err := New(tt.config)
		if err == nil {
			d.Close()
			if !strings.Contains(tt.config.Connect, "collation") { // the server knows collations
				t.Errorf("%+v: no error, want %q", tt.config, tt.want)
			}
			continue
		}
		if !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s %q: %v, want %q", tt.config.Driver, tt.config.Query, err, tt.want)
		}
	}
}

// TestNewDoesNotConnect tests that a server which is down at start is no error, also with the words of several hosts.
func TestNewDoesNotConnect(t *testing.T) {
	for _, c := range []Config{
		{Driver: "pgsql", Connect: "host=192.0.2.1,192.0.2.2 port=5432,5433 target_session_attrs=read-write sslmode=verify-full"},
		{Driver: "pgsql", Connect: "postgres://mailauthd:x@192.0.2.1,192.0.2.2/mail?sslmode=disable&default_query_exec_mode=exec"},
		{Driver: "mysql", Connect: "mailauthd:x@tcp(192.0.2.1:3306)/mail?tls=true&max_execution_time=2000"},
		{Driver: "mysql", Connect: "mailauthd:x@unix(/nonesuch)/mail", DomainQuery: "SELECT 1 FROM d WHERE d = %{user | domain}"},
	} {
		c.Query, c.Fields.Scheme = "SELECT password FROM mailbox WHERE username = %u", "PLAIN"
		d, err := New(c)
		if err != nil {
			t.Errorf("%s: %v", c.Connect, err)
			continue
		}
		if s := d.Stats(); s != (Stats{Max: DefaultMaxConnections}) {
			t.Errorf("%+v", s)
		}
		d.Close()
	}
}

// TestDecoyOfEveryScheme tests that there is a decoy whatever the default scheme.
func TestDecoyOfEveryScheme(t *testing.T) {
	for scheme, want := range map[string]string{"": "BLF-CRYPT", "plain": "PLAIN", "SSHA.hex": "SSHA", "OTP": "BLF-CRYPT", "DIGEST-MD5": "DIGEST-MD5"} {
		fields := dovecot.Reader{Scheme: scheme}
		fields.Hashes.AllowWeak = true
		d, err := dovecot.NewDecoys(fields)
		if err != nil {
			t.Errorf("%s: %v", scheme, err)
			continue
		}
		u := d.Choose("nobody@x.org")
		if got := u.Passwords[0].Hash.Scheme(); got != want {
			t.Errorf("%s: the decoy has the scheme %s, want %s", scheme, got, want)
		}
	}
}
