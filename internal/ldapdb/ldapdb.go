package ldapdb

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/go-ldap/ldap/v3"

	"mailauthd/internal/dovecot"
	"mailauthd/internal/route"
)

// MaxServers is the largest number of servers of one directory.
const MaxServers = 16

// Defaults of [Config].
const (
	DefaultMaxConnections = 8
	DefaultTimeout        = 2 * time.Second
)

// Config describes a directory.
type Config struct {
	Name     string         // of the passdb, for errors
	URIs     []string       // servers with the same entries; the first that can be reached is asked
	StartTLS bool           // for ldap://
	CAs      *x509.CertPool // the system's if nil

	AuthDN, AuthPassword string // to search as; empty: anonymously

	Base   string
	Scope  string // "base", "onelevel" or "subtree"
	Filter string // a template of package dovecot

	Bind       bool   // prove passwords by a bind
	BindUserDN string // a template: bind as this name without a search

	Fields map[string]string // from the fields of package dovecot to attributes
	Reader dovecot.Reader    // of the fields

	MaxConnections int           // for searches, and as many for binds; 0: DefaultMaxConnections
	Timeout        time.Duration // for one search or one bind, with all waiting; 0: DefaultTimeout
}

// DB is a directory. It is safe for concurrent use.
type DB struct {
	config   Config
	targets  []*target
	scope    int
	filter   *dovecot.Template // nil with bindUserDN
	userDN   *dovecot.Template // nil without
	wanted   []string          // attributes
	searches *pool
	binds    *pool
	pace     *pace
	decoys   *dovecot.Decoys
	stats    counters
}

// New makes a directory. It does not connect.
func New(config Config) (*DB, error) {
	d := &DB{config: config, pace: newPace()}
	for _, check := range []func() error{d.readServers, d.readAuth, d.readNames, d.readFields, d.readLimits} {
		if err := check(); err != nil {
			return nil, d.wrap(err)
		}
	}
	d.searches = newPool(d, d.prepareSearch)
	d.binds = newPool(d, d.prepareBind)
	return d, nil
}

// Watch makes the directory call report when a server is set aside, and when it is used again. It must be called before
// the first lookup.
func (d *DB) Watch(report func(route.Change)) {
	for _, t := range d.targets {
		t.breaker = route.NewBreaker(t.uri, "ldap", report)
	}
}

// wrap says where an error comes from.
func (d *DB) wrap(err error) error { return fmt.Errorf("passdb %q: %w", d.config.Name, err) }

func (d *DB) readServers() error {
	if n := len(d.config.URIs); n == 0 || n > MaxServers {
		return fmt.Errorf(`uris: want 1 to %d servers, such as ["ldaps://dc1.example"]`, MaxServers)
	}
	for _, uri := range d.config.URIs {
		t, err := parseURI(uri)
		if err != nil {
			return err
		}
		if d.config.StartTLS && (t.tls || t.network == "unix") {
			return fmt.Errorf("uri %q: starttls is only possible with ldap://", uri)
		}
		t.breaker = route.NewBreaker(uri, "ldap", nil)
		d.targets = append(d.targets, t)
	}
	return nil
}

func (d *DB) readAuth() error {
	switch dn, password := d.config.AuthDN, d.config.AuthPassword; {
	case dn != "" && password == "":
		return errors.New("auth_dn needs a password: with an empty one a server takes the bind for an anonymous one")
	case dn == "" && password != "":
		return errors.New("a password of auth_dn is set, but auth_dn is not")
	}
	return nil
}

// readNames reads how the entry of a name is found.
func (d *DB) readNames() (err error) {
	if d.config.BindUserDN != "" {
		return d.readUserDN()
	}
	scopes := map[string]int{"base": ldap.ScopeBaseObject, "onelevel": ldap.ScopeSingleLevel, "subtree": ldap.ScopeWholeSubtree}
	var ok bool
	if d.scope, ok = scopes[d.config.Scope]; !ok {
		return fmt.Errorf("scope %q: want base, onelevel or subtree", d.config.Scope)
	}
	if _, err := ldap.ParseDN(d.config.Base); err != nil {
		return fmt.Errorf("base %q is not a DN, such as ou=people,dc=example", d.config.Base)
	}
	if d.filter, err = dovecot.ParseTemplate(d.config.Filter); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	if !d.filter.UsesUser() {
		return errors.New("filter: every user would find the same entry: write %{user} into it, such as (mail=%{user})")
	}
	if _, err := ldap.CompileFilter(d.filter.Expand("alice@example.com", escapeFilter)); err != nil {
		return fmt.Errorf("filter: want one such as (mail=%%{user}), in parentheses: %w", errors.Unwrap(err))
	}
	return nil
}

func (d *DB) readUserDN() (err error) {
	if !d.config.Bind {
		return errors.New("bind_userdn has no effect without bind = true")
	}
	if d.userDN, err = dovecot.ParseTemplate(d.config.BindUserDN); err != nil {
		return fmt.Errorf("bind_userdn: %w", err)
	}
	if !d.userDN.UsesUser() {
		return errors.New("bind_userdn: every user would bind as the same: write %{user} into it, such as uid=%{user},ou=people,dc=example")
	}
	return nil
}

// attribute is the description of an attribute (RFC 4512, section 2.5), by name or by number.
var attribute = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*|[0-9]+(\.[0-9]+)+)(;[A-Za-z0-9-]+)*$`)

func (d *DB) readFields() error {
	for field, name := range d.config.Fields {
		switch _, used := d.config.Reader.Meaning(field); {
		case !used:
			return fmt.Errorf("fields: %q is no field of a user", field)
		case !attribute.MatchString(name):
			return fmt.Errorf("fields: %s = %q is not the name of an attribute, such as mail", field, name)
		}
	}
	if !d.config.Bind && d.config.Fields["password"] == "" && d.config.Fields["password_noscheme"] == "" {
		return errors.New(`fields: without bind = true the password must be an attribute, such as password = "userPassword"`)
	}
	for _, field := range d.fieldNames() {
		d.wanted = append(d.wanted, d.config.Fields[field])
	}
	if d.wanted == nil {
		d.wanted = []string{noAttributes}
	}
	var err error
	d.decoys, err = dovecot.NewDecoys(d.config.Reader)
	return err
}

// noAttributes asks a server for an entry without attributes (RFC 4511, section 4.5.1.8).
const noAttributes = "1.1"

func (d *DB) readLimits() error {
	d.config.MaxConnections = cmp.Or(d.config.MaxConnections, DefaultMaxConnections)
	d.config.Timeout = cmp.Or(d.config.Timeout, DefaultTimeout)
	if d.config.MaxConnections < 1 {
		return errors.New("max_connections: want at least 1")
	}
	if d.config.Timeout < 0 {
		return errors.New(`timeout: want one such as "2s"`)
	}
	return nil
}

// Cleartext returns the servers that passwords are sent to without TLS over a network.
func (d *DB) Cleartext() (uris []string) {
	for _, t := range d.targets {
		if !t.tls && !d.config.StartTLS && !t.local() {
			uris = append(uris, t.uri)
		}
	}
	return uris
}

// Close closes the idle connections. Searches and binds still work, but keep none.
func (d *DB) Close() {
	d.searches.close()
	d.binds.close()
}

// ready returns the targets that are not set aside, without the one that has just not answered.
func (d *DB) ready(silent *target) (list []*target) {
	for _, t := range d.targets {
		if t != silent && t.breaker.Ready() {
			list = append(list, t)
		}
	}
	return list
}

// errNone returns the error of a request that no server could be asked.
func (d *DB) errNone() error {
	for _, t := range d.targets {
		if o, ok := t.breaker.Outage(); ok {
			return fmt.Errorf("%s is set aside because it did not answer; next try in %v: %w", t.uri, o.Retry.Round(time.Millisecond), o.Err)
		}
	}
	return errors.New("no other server in uris to ask")
}
