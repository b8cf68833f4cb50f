package ldapdb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// goodbyeTimeout is how long it may take to send an unbind request, which has no answer.
const goodbyeTimeout = time.Second

// conn is a connection to one server, used by one caller at a time.
type conn struct {
	*ldap.Conn
	wire   *wire
	target *target
	until  time.Time   // when it is too old to be used again
	idle   *time.Timer // closes the connection while it is idle
}

// connect opens a connection, with TLS if that is configured. The caller's ctx has a deadline.
func (d *DB) connect(ctx context.Context, t *target) (*conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, t.network, t.address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: raw}
	w.left.Store(MaxAnswer)
	c := &conn{wire: w, target: t, until: time.Now().Add(MaxAge)}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.config.CAs, ServerName: t.host, VerifyConnection: t.saw}
	if t.tls {
		secure := tls.Client(w, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, fmt.Errorf("TLS: %w", err)
		}
		c.Conn = ldap.NewConn(secure, true)
		c.Start()
		return c, nil
	}
	c.Conn = ldap.NewConn(w, false)
	c.Start()
	if d.config.StartTLS {
		if err := c.run(ctx, func() error { return c.StartTLS(config) }); err != nil {
			c.drop()
			return nil, fmt.Errorf("StartTLS: %w", describe(err))
		}
	}
	return c, nil
}

// run sends a request and waits for the answer, no longer than ctx allows. The connection cannot be used any more
// if the error is not an answer.
func (c *conn) run(ctx context.Context, request func() error) (err error) {
	c.wire.left.Store(MaxAnswer)
	stop := context.AfterFunc(ctx, c.wire.interrupt)
	defer func() {
		if r := recover(); r != nil { // the library decodes what the server has sent
			err = errors.New("the server's answer cannot be decoded")
		}
		inTime := stop()
		if _, ok := resultCode(err); ok && inTime {
			return
		}
		switch cause := c.wire.cause.Load(); {
		case !inTime:
			err = fmt.Errorf("no answer: %w", context.Cause(ctx))
		case cause != nil:
			err = fmt.Errorf("no answer: %w", *cause)
		case fromServer(err):
			err = errors.New("the server's answer is malformed")
		}
	}()
	return request()
}

// resultCode returns the result code of an answer, or false if there was none.
func resultCode(err error) (uint16, bool) {
	if err == nil {
		return ldap.LDAPResultSuccess, true
	}
	e, ok := errors.AsType[*ldap.Error](err)
	if !ok || e.ResultCode >= ldap.ErrorNetwork { // codes of the library
		return 0, false
	}
	return e.ResultCode, true
}

// fromServer reports whether an error has the text of a server.
func fromServer(err error) bool {
	e, ok := errors.AsType[*ldap.Error](err)
	return ok && e.Packet != nil
}

// describe returns an error with the result code instead of one of the library. A request that is sent later must not
// be taken for answered. The server's text stays out, because it may repeat what was sent.
func describe(err error) error {
	code, ok := resultCode(err)
	switch {
	case err == nil || !ok:
		return err
	case code == ldap.LDAPResultReferral:
		return errors.New("the server refers to another one, which must be listed in uris to be asked")
	}
	return fmt.Errorf("result code %d, %s", code, ldap.LDAPResultCodeMap[code])
}

// answered reports whether the server has answered the request itself. A server that is too busy, or about to stop, has not.
func answered(err error) bool {
	code, ok := resultCode(err)
	return ok && code != ldap.LDAPResultBusy && code != ldap.LDAPResultUnavailable
}

// usable reports whether the connection can be used again. The library reads all the time, so it knows whether the
// server has closed the connection.
func (c *conn) usable() bool { return !c.IsClosing() && time.Now().Before(c.until) }

// drop closes the connection at once.
func (c *conn) drop() {
	c.wire.interrupt()
	c.Close()
}

// leave closes the connection as the protocol demands.
func (c *conn) leave() {
	c.wire.SetDeadline(time.Now().Add(goodbyeTimeout))
	c.Unbind()
	c.Close()
}
