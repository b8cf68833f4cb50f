package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/auth"
	"mailauthd/internal/authlog"
	"mailauthd/internal/dovecot"
	"mailauthd/internal/ldapdb"
	"mailauthd/internal/route"
	"mailauthd/internal/sqldb"
	"mailauthd/internal/users"
)

// maxPassdbTimeout is the largest timeout. A login waits for a slot, a query, another slot and a bind, and nginx's
// auth_http_timeout is 60 s.
const maxPassdbTimeout = 10 * time.Second

const ldapDriver = "ldap"

// passdbKey is the key of a passdb in loader.used, where servers have their names.
func passdbKey(name string) string { return "passdb " + name }

// passdbNames lists the passdbs of all files.
func (l *loader) passdbNames() []string {
	var names []string
	for _, f := range l.files {
		names = append(names, f.sections["passdb"]...)
	}
	return names
}

// buildPassdbs reads the databases of users. It connects to none.
func (l *loader) buildPassdbs(c *Config) {
	l.eachTable("passdb", func(f *file, name string) {
		key := toml.Key{"passdb", name}
		if name == route.VerifyUpstream || name == route.VerifyUsers {
			l.problems.add(f, key, "this name has another meaning in verify: choose another")
		}
		if p := l.buildPassdb(f, key, f.content.Passdb[name]); p != nil {
			c.Passdbs = append(c.Passdbs, p)
		}
	})
	slices.SortFunc(c.Passdbs, func(a, b *auth.Passdb) int { return strings.Compare(a.Name, b.Name) })
}

func (l *loader) buildPassdb(f *file, key toml.Key, s *passdbSection) *auth.Passdb {
	n := sqldb.DefaultMaxConnections
	if s.MaxConnections != nil {
		n = *s.MaxConnections
		l.within(f, append(key, "max_connections"), n, 1, auth.MaxPassdbConnections)
	}
	timeout := sqldb.DefaultTimeout
	if s.Timeout != nil {
		timeout = l.duration(f, append(key, "timeout"), *s.Timeout, time.Millisecond, maxPassdbTimeout)
	}
	before := len(l.problems)
	reader := dovecot.Reader{Hashes: l.hashes, Scheme: s.DefaultPasswordScheme}
	if reader.CheckScheme() != nil {
		l.problems.add(f, append(key, "default_password_scheme"), "%v", reader.CheckScheme())
	}
	switch s.Driver {
	case "":
		l.problems.add(f, append(key, "driver"), `is missing: want one of %s`, quoteAll(choices["passdb.NAME.driver"]))
	case ldapDriver:
		c, cas := l.ldapConfig(f, key, s)
		c.Reader, c.MaxConnections, c.Timeout = reader, n, timeout
		if len(l.problems) == before {
			return l.newLDAP(f, key, c, cas)
		}
	default:
		l.choose(f, append(key, "driver"), s.Driver)
		c := l.sqlConfig(f, key, s)
		c.Fields, c.MaxConnections, c.Timeout = reader, n, timeout
		if len(l.problems) == before {
			return l.newSQL(f, key, c)
		}
	}
	return nil
}

// without complains about keys of the other kind of database.
func (l *loader) without(f *file, key toml.Key, driver string, given map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] {
			l.problems.add(f, append(key, name), "has no effect with driver = %q: remove it", driver)
		}
	}
}

func (l *loader) sqlConfig(f *file, key toml.Key, s *passdbSection) sqldb.Config {
	l.without(f, key, s.Driver, map[string]bool{
		"uris": s.URIs != nil, "starttls": s.StartTLS, "ca_file": s.CAFile != "", "auth_dn": s.AuthDN != "",
		"auth_dn_password_file": s.AuthDNPasswordFile != "", "base": s.Base != "", "scope": s.Scope != "", "filter": s.Filter != "",
		"bind": s.Bind != nil, "bind_userdn": s.BindUserDN != "", "fields": s.Fields != nil,
	})
	connect := s.Connect
	switch {
	case s.ConnectFile != "" && s.Connect != "":
		l.problems.add(f, append(key, "connect"), "connect_file is set as well: remove one of them")
	case s.ConnectFile != "":
		connect = l.oneLine(f, append(key, "connect_file"), s.ConnectFile)
	case s.Connect == "":
		l.problems.add(f, append(key, "connect"), `is missing: want the driver's connection string, such as "host=/run/postgresql dbname=mail", or connect_file`)
	default:
		f.secret = true
	}
	if s.Query == "" {
		l.problems.add(f, append(key, "query"), `is missing: want a query such as "SELECT password FROM users WHERE name = %%{user}"`)
	}
	return sqldb.Config{Name: key[1], Driver: s.Driver, Connect: connect, Query: s.Query, DomainQuery: s.DomainQuery}
}

// sqlSettings are equal if the database need not be opened again.
type sqlSettings struct {
	sqldb.Config
	files []checksum // of what the connection string names
}

// checksums returns those of the files that the driver reads when it opens the database. A certificate may be renewed.
func checksums(c sqldb.Config) (sums []checksum) {
	if c.Driver != "pgsql" {
		return nil
	}
	for _, path := range sqldb.Files(c.Connect) {
		data, _ := readBounded(path) // the driver reports a file that it needs and cannot read
		sums = append(sums, sha256.Sum256(data))
	}
	return sums
}

func (l *loader) newSQL(f *file, key toml.Key, c sqldb.Config) *auth.Passdb {
	db, err := sqldb.New(c)
	if err != nil {
		l.passdbProblem(f, key, err)
		return nil
	}
	from, word := "connect", map[string]string{"pgsql": "sslmode=verify-full", "mysql": "tls=true"}[c.Driver]
	if f.content.Passdb[c.Name].ConnectFile != "" {
		from = "connect_file"
	}
	for _, host := range db.Cleartext() {
		l.warn(f, append(key, from), "password hashes may come from %s in clear: add %s to the connection string", host, word)
	}
	p := &auth.Passdb{
		Name: c.Name, Settings: sqlSettings{c, checksums(c)}, Directory: db, MaxConnections: db.MaxConnections, Timeout: c.Timeout, Close: db.Close,
		IsOutage: func(err error) bool { return errors.Is(err, sqldb.ErrQuery) },
	}
	if c.DomainQuery != "" {
		p.HasDomain = db.HasDomain
	}
	return p
}

// ldapConfig also returns the text of ca_file.
func (l *loader) ldapConfig(f *file, key toml.Key, s *passdbSection) (c ldapdb.Config, cas string) {
	l.without(f, key, s.Driver, map[string]bool{
		"connect": s.Connect != "", "connect_file": s.ConnectFile != "", "query": s.Query != "", "domain_query": s.DomainQuery != "",
	})
	c = ldapdb.Config{
		Name: key[1], URIs: s.URIs, StartTLS: s.StartTLS, AuthDN: s.AuthDN, Base: s.Base, Scope: s.Scope, Filter: s.Filter,
		Bind: s.Bind == nil || *s.Bind, BindUserDN: s.BindUserDN, Fields: s.Fields,
	}
	if c.Scope == "" {
		c.Scope = defaultScope
	}
	l.choose(f, append(key, "scope"), c.Scope)
	if s.CAFile != "" {
		c.CAs, cas = l.certificates(f, append(key, "ca_file"), s.CAFile)
	}
	if s.AuthDNPasswordFile != "" {
		c.AuthPassword = l.oneLine(f, append(key, "auth_dn_password_file"), s.AuthDNPasswordFile)
	}
	return c, cas
}

// ldapSettings are equal if the directory need not be opened again.
type ldapSettings struct {
	ldapdb.Config        // without CAs
	cas           string // the text of ca_file
}

func (l *loader) newLDAP(f *file, key toml.Key, c ldapdb.Config, cas string) *auth.Passdb {
	db, err := ldapdb.New(c)
	if err != nil {
		l.passdbProblem(f, key, err)
		return nil
	}
	for _, uri := range db.Cleartext() {
		l.warn(f, append(key, "uris"), "passwords go to %s in clear: use ldaps://, or starttls = true", uri)
	}
	settings := ldapSettings{c, cas}
	settings.CAs = nil
	p := &auth.Passdb{
		Name: c.Name, Settings: settings, Directory: db, MaxConnections: c.MaxConnections, Timeout: c.Timeout, Close: db.Close, Watch: db.Watch,
		// Package ldapdb sets aside servers that cannot be connected to. One that hangs is set aside here.
		IsOutage: func(err error) bool { return errors.Is(err, context.DeadlineExceeded) },
	}
	if c.Bind {
		p.Lookup = lookupToBind(db)
	}
	return p
}

// lookupToBind finds users whose passwords a bind proves.
func lookupToBind(db *ldapdb.DB) func(context.Context, string) (*users.User, auth.Bind, error) {
	return func(ctx context.Context, name string) (*users.User, auth.Bind, error) {
		e, err := db.Lookup(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		return e.User, func(ctx context.Context, password string) (authlog.Reason, string, error) {
			result, err := db.Bind(ctx, e, password)
			return reasonOf(result), result.String(), err
		}, nil
	}
}

// reasonOf returns the reason of a rejection, none for a right password.
func reasonOf(r ldapdb.Result) authlog.Reason {
	switch r {
	case ldapdb.Accepted:
		return ""
	case ldapdb.WrongPassword, ldapdb.Undecided:
		return authlog.PasswordMismatch
	case ldapdb.NoSuchUser:
		return authlog.UserUnknown
	case ldapdb.NotHere, ldapdb.NotNow:
		return authlog.Policy
	}
	return authlog.UserDisabled
}

// passdbProblem reports an error of a database's own check at the key that it begins with.
func (l *loader) passdbProblem(f *file, key toml.Key, err error) {
	text := strings.TrimPrefix(err.Error(), "passdb "+quoteAll([]string{key[1]})+": ")
	if name, rest, ok := strings.Cut(text, ": "); ok && slices.Contains(wholeFile.keys["passdb"].each.known, name) {
		l.problems.add(f, append(key, name), "%s", rest)
		return
	}
	l.problems.add(f, key, "%s", text)
}
