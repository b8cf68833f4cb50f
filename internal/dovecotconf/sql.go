package dovecotconf

import (
	"fmt"
	"slices"
	"strings"

	"mailauthd/internal/dovecot"
	"mailauthd/internal/password"
	"mailauthd/internal/sqldb"
	"mailauthd/internal/tomledit"
)

var drivers = sqldb.Drivers()

// defaultQuery is what Dovecot 2.3 sends if password_query is missing.
const defaultQuery = "SELECT username, domain, password FROM users WHERE username = '%n' AND domain = '%d'"

// sql writes the section of a database in SQL.
func (c *converter) sql(name string, line int, v *values, servers []server) error {
	driver, err := c.driver(v, line)
	if err != nil {
		return err
	}
	connect := c.connect(v, driver, servers)
	connect.line = max(connect.line, 1)
	for _, key := range []string{"ca_file", "ssl_client_ca_dir", "ssl_client_require_valid_cert"} {
		v.take(key)
	}
	query, ok := v.take("query")
	switch {
	case ok:
	case c.is24:
		c.tell(line, "query is missing: add one such as \"SELECT password FROM users WHERE name = %%{user}\"")
	default:
		query.value = defaultQuery
		c.warn(1, "password_query is missing: the section has Dovecot's default")
	}
	query.value = bindable(query.value, driver)

	c.section(name, line)
	c.put("driver", tomledit.Quote(driver), v.of["sql_driver"].line)
	c.putConnect(name, connect)
	if query.value != "" {
		c.put("query", tomledit.Quote(query.value), query.line)
	}
	c.scheme(v)
	if connect.limit > 0 {
		c.put("max_connections", fmt.Sprint(connect.limit), connect.line)
	}
	c.checkSQL(connect, query, sqldb.Config{Name: name, Driver: driver, Connect: connect.text, Query: query.value})
	return nil
}

// driver returns the driver. Without one that mailauthd has there is no section.
func (c *converter) driver(v *values, line int) (string, error) {
	s, ok := v.take("sql_driver")
	if !ok {
		return "", fmt.Errorf("%s:%d: no driver: want one of pgsql, mysql", c.file, max(line, 1))
	}
	if !slices.Contains(drivers, s.value) {
		return "", fmt.Errorf("%s:%d: mailauthd has no such driver: want one of pgsql, mysql", c.file, s.line)
	}
	return s.value, nil
}

// putConnect writes the connection string, or the file that it belongs into.
func (c *converter) putConnect(name string, s connection) {
	switch {
	case s.text == "":
		c.tell(s.line, "no connection string: add connect or connect_file")
	case s.secret:
		c.put("connect_file", tomledit.Quote(name+".dsn"), s.line)
		c.secrets = append(c.secrets, Secret{name + ".dsn", s.text, s.line, s.what})
	default:
		c.put("connect", tomledit.Quote(s.text), s.line)
	}
}

// scheme writes the default scheme.
func (c *converter) scheme(v *values) {
	s, ok := v.take("default_password_scheme")
	switch {
	case ok:
	case c.kind == LDAP:
		s.value = "CRYPT"
	case c.is24:
		s.value = "PLAIN"
	default:
		c.warn(1, `default_pass_scheme is missing, so Dovecot takes MD5 for hashes without a {SCHEME}: if there are some, add default_password_scheme = "MD5", and allow_weak_schemes = true to [auth]`)
		return
	}
	s.value = strings.ToUpper(s.value)
	if err := (dovecot.Reader{Scheme: s.value}).CheckScheme(); err != nil {
		c.tell(s.line, "default_password_scheme: %v", err)
		return
	}
	c.put("default_password_scheme", tomledit.Quote(s.value), s.line)
	base, _, _ := strings.Cut(s.value, ".")
	for _, known := range password.Schemes() {
		if known.Name == base && known.Weak {
			c.tell(s.line, "the scheme %s is weak: set allow_weak_schemes = true in [auth]", base)
		}
	}
}

// checkSQL tells what mailauthd would refuse.
func (c *converter) checkSQL(connect connection, query setting, config sqldb.Config) {
	if config.Connect == "" || config.Query == "" { // told already
		return
	}
	config.Fields = dovecot.Reader{Scheme: "PLAIN"} // whatever it is, a decoy of another one would take long
	db, err := sqldb.New(config)
	if err == nil {
		db.Close()
		return
	}
	line := query.line
	if strings.HasPrefix(err.Error(), "connect: ") {
		line = connect.line
	}
	c.tell(max(line, 1), "%v", err)
}
