package ldapdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Bind proves a password by a bind as an entry. If the server's answer does not decide that, Bind returns Undecided and
// an error. An empty password is wrong, and nothing is sent: a server would take that for an anonymous bind.
func (d *DB) Bind(ctx context.Context, e *Entry, password string) (Result, error) {
	if password == "" {
		return WrongPassword, nil
	}
	ctx, cancel := context.WithTimeout(ctx, d.config.Timeout)
	defer cancel()
	if e.User == nil {
		password = rand.Text()
	}
	result, took, err := d.bind(ctx, e, password)
	if err != nil {
		return Undecided, d.wrap(fmt.Errorf("user %q: bind: %w", e.name, err))
	}
	if compared := e.User != nil && (result == Accepted || result == WrongPassword && d.userDN == nil); compared {
		d.pace.compared(result == Accepted, took)
	} else {
		d.pace.wait(ctx, e.name, took)
	}
	return result, nil
}

// bind returns how long the server took, without waiting for a connection.
func (d *DB) bind(ctx context.Context, e *Entry, password string) (result Result, took time.Duration, err error) {
	defer d.stats.binds.count(time.Now(), &err)
	request := ldap.NewSimpleBindRequest(e.dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()})
	var answer *ldap.SimpleBindResult
	err = d.binds.do(ctx, func(c *conn) (err error) {
		began := time.Now()
		answer, err = c.SimpleBind(request)
		took = time.Since(began)
		return err
	})
	code, ok := resultCode(err)
	if !ok {
		return Undecided, took, err
	}
	result, err = decide(e, code, describe(err), resultOf(code, text(err), answer.Controls))
	return result, took, err
}

// decide returns what an answer means for an entry. An answer that contradicts the search decides nothing: perhaps the
// server has not got the entry yet.
func decide(e *Entry, code uint16, err error, result Result) (Result, error) {
	switch {
	case result == Undecided:
		return Undecided, err
	case e.User == nil && result == Accepted:
		return Undecided, errors.New("the server accepts any password for a name that does not exist")
	case e.User == nil:
		return NoSuchUser, nil
	case e.found && code == ldap.LDAPResultNoSuchObject:
		return Undecided, errors.New("the server does not have the entry that the search has found")
	}
	return result, nil
}

// text returns the message that came with a result code.
func text(err error) string {
	if e, ok := errors.AsType[*ldap.Error](err); ok && e.Err != nil {
		return e.Err.Error()
	}
	return ""
}

// prepareSearch binds as auth_dn. Without it, the server has to answer something before the connection is used.
func (d *DB) prepareSearch(ctx context.Context, c *conn) error {
	if d.config.AuthDN == "" {
		return d.prepareBind(ctx, c)
	}
	err := c.run(ctx, func() error { return c.Conn.Bind(d.config.AuthDN, d.config.AuthPassword) })
	if err != nil {
		return fmt.Errorf("bind as auth_dn: %w", describe(err))
	}
	return nil
}

// prepareBind asks for the root of the directory (RFC 4512, section 5.1), and takes every answer. So a server that
// accepts connections but is stuck is found out before a user depends on it.
func (d *DB) prepareBind(ctx context.Context, c *conn) error {
	err := c.run(ctx, func() error {
		_, err := c.Search(&ldap.SearchRequest{Scope: ldap.ScopeBaseObject, Filter: "(objectClass=*)", Attributes: []string{noAttributes}})
		return err
	})
	if answered(err) {
		return nil
	}
	return describe(err)
}
