package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/dovecot"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/users"
)

// Limits of a result.
const (
	MaxRows  = 64       // the largest number of rows; several rows are several passwords of a user
	MaxValue = 16 << 10 // the largest length of a value in bytes
)

// Defaults of [Config].
const (
	DefaultMaxConnections = 8
	DefaultTimeout        = 2 * time.Second
)

// ErrQuery is an error of the database, or of the connection to it. Other errors concern the values of one user.
var ErrQuery = errors.New("query failed")

// errValue is the server's error about a value, such as a name that it cannot compare with a number. Clients can cause it,
// so it must not be taken for an outage.
var errValue = errors.New("query failed")

// Config says where the users are.
type Config struct {
	Name           string // of the passdb, for errors
	Driver         string // "pgsql" or "mysql"
	Connect        string // the driver's connection string
	Query          string // returns the fields of package dovecot for a user
	DomainQuery    string // has a row if a domain is one of ours; may be empty
	Fields         dovecot.Reader
	MaxConnections int           // 0: DefaultMaxConnections
	Timeout        time.Duration // of a lookup; 0: DefaultTimeout
}

// Drivers returns the drivers.
func Drivers() []string { return []string{"pgsql", "mysql"} }

// DB is a directory of users in an SQL database. It is safe for concurrent use.
type DB struct {
	Config
	client  client
	users   query
	domains query // without a template if there is none
	decoys  *dovecot.Decoys
	counters
}

// query is a query as it is sent.
type query struct {
	template *dovecot.Template
	text     string
	label    string // what errors call it, empty for that of the users
}

// client is a pool of connections.
type client interface {
	// query returns the columns of a query, and at most limit rows. A further row is not read.
	query(ctx context.Context, text string, args []any, limit int) (*result, error)

	// stale reports whether a query that failed may succeed on a new connection.
	stale(err error) bool

	// unstorable reports whether the server cannot compare a parameter, because the column cannot hold its characters.
	unstorable(err error) bool

	// state returns the SQLSTATE of an error that the server reported, or else an empty string.
	state(err error) string

	// reset closes the idle connections.
	reset()

	// explain describes an error of this client. The description may contain the secrets of the connection.
	explain(err error) string

	// cleartext returns the hosts of other machines that may be asked without TLS.
	cleartext() []string

	// connections returns the number of all connections, and of those that a query uses.
	connections() (open, busy int)

	close()
}

// New checks a configuration. It does not connect.
func New(c Config) (*DB, error) {
	d := &DB{Config: c}
	if d.MaxConnections == 0 {
		d.MaxConnections = DefaultMaxConnections
	}
	if d.Timeout == 0 {
		d.Timeout = DefaultTimeout
	}
	dialect, open := dovecot.PostgreSQL(), newPgsql
	switch d.Driver {
	case "pgsql":
	case "mysql":
		dialect, open = dovecot.MySQL(), newMySQL
	default:
		return nil, fmt.Errorf("driver: unknown driver %q (known: %s)", d.Driver, strings.Join(Drivers(), ", "))
	}
	if err := d.bind(dialect); err != nil {
		return nil, err
	}
	var err error
	if d.decoys, err = dovecot.NewDecoys(c.Fields); err != nil {
		return nil, fmt.Errorf("default_password_scheme: %w", err)
	}
	if d.client, err = open(&d.Config); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return d, nil
}

// bind reads the queries.
func (d *DB) bind(dialect dovecot.Dialect) (err error) {
	if d.users, err = newQuery(d.Query, dialect); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	if !d.users.template.UsesUser() {
		return errors.New("query: has no user in it: want a variable such as %{user}")
	}
	if d.DomainQuery == "" {
		return nil
	}
	if d.domains, err = newQuery(d.DomainQuery, dialect); err != nil {
		return fmt.Errorf("domain_query: %w", err)
	}
	d.domains.label = "domain_query: "
	if t := d.domains.template; t.UsesUser() || !t.UsesDomain() {
		return errors.New("domain_query: want the variable %{domain}, and no other")
	}
	return nil
}

func newQuery(text string, dialect dovecot.Dialect) (q query, err error) {
	if q.template, err = dovecot.ParseTemplate(text); err == nil {
		q.text, err = q.template.Bind(dialect)
	}
	return q, err
}

// Cleartext returns the hosts of other machines that may be asked without TLS, so that hashes can be read on the way.
func (d *DB) Cleartext() []string { return d.client.cleartext() }

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close closes the connections. Lookups that still run may fail.
func (d *DB) Close() { d.client.close() }

// Find returns the user with a name in canonical form, nil if there is none. The entry in Servers, if any, is the host
// as the database has it.
func (d *DB) Find(ctx context.Context, name string) (*users.User, error) {
	if !canExist(name) {
		return nil, nil
	}
	r, err := d.run(ctx, d.users, name, MaxRows+1)
	if err != nil {
		return nil, err
	}
	switch len(r.rows) {
	case 0:
		return nil, nil
	case MaxRows + 1:
		return nil, fmt.Errorf("passdb %q: user %q: more than %d rows", d.Name, name, MaxRows)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("passdb %q: user %q: %w", d.Name, name, err)
	}
	if d.Driver == "mysql" && !isPlain(name) && !r.hasUser() {
		return nil, nil
	}
	u, err := d.Fields.User(name, r.rows)
	if err != nil {
		return nil, fmt.Errorf("passdb %q: %w", d.Name, err)
	}
	d.decoys.Add(name, u)
	return u, nil
}

// canExist reports whether a name can be in the database. PostgreSQL would refuse a query with another one.
func canExist(name string) bool { return authhttp.CheckUser(name) == nil && utf8.ValidString(name) }

// isPlain reports whether no collation of MySQL takes a name in canonical form for another one.
func isPlain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// Decoy returns the user whose passwords are verified in place of those of an unknown name.
func (d *DB) Decoy(name string) *users.User { return d.decoys.Choose(name) }

// HasMasters returns false, because users of a database cannot log in as other users.
func (d *DB) HasMasters() bool { return false }

// HasDomain reports whether a domain in canonical form is one of ours. It returns an error if there is no domain query.
func (d *DB) HasDomain(ctx context.Context, domain string) (bool, error) {
	if d.domains.template == nil {
		return false, fmt.Errorf("passdb %q: has no domain_query", d.Name)
	}
	if _, err := mailaddr.Domain(domain); err != nil {
		return false, nil
	}
	r, err := d.run(ctx, d.domains, "@"+domain, 1)
	if err != nil {
		return false, err
	}
	if len(r.rows) == 0 || len(r.columns) == 0 {
		return false, nil
	}
	switch strings.ToLower(r.rows[0][r.columns[0]]) {
	case "", "0", "f", "false", "n", "no":
		return false, nil
	}
	return true, nil
}

// Column is a column of the result, and what becomes of it.
type Column struct {
	Name    string
	Meaning string
	Used    bool // whether it becomes a part of a user
}

// Columns runs the query for a user who does not exist, and returns its columns. It also runs the domain query, if there
// is one.
func (d *DB) Columns(ctx context.Context) ([]Column, error) {
	r, err := d.run(ctx, d.users, "mailauthd-check@domain.invalid", 1)
	if err != nil {
		return nil, err
	}
	var list []Column
	for _, name := range r.columns {
		meaning, used := d.Fields.Meaning(name)
		list = append(list, Column{name, meaning, used})
	}
	if err := r.check(); err != nil {
		return list, fmt.Errorf("passdb %q: %w", d.Name, err)
	}
	if d.domains.template != nil {
		_, err = d.HasDomain(ctx, "domain.invalid")
	}
	return list, err
}
