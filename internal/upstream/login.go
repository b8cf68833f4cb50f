package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// ErrRejected wraps the reply of a server that has checked the password and refused it.
var ErrRejected = errors.New("login refused")

// Default timeouts. Both are below the 60 s after which nginx stops waiting for an answer.
const (
	ConnectTimeout = 5 * time.Second
	Timeout        = 20 * time.Second
)

// Server is a mail server, and how passwords are checked there.
type Server struct {
	Protocol       string // "imap", "pop3" or "smtp"
	Addr           netip.AddrPort
	ConnectTimeout time.Duration
	Timeout        time.Duration // of the whole login, and of each part of it

	TLS            TLS
	Mechanisms     []string // in order of preference, or [Auto]; if empty, CRAM-MD5
	AllowCleartext bool     // allow mechanisms that send the password without TLS

	Trace func(line string) // if set, is called with each line, whose secrets are hidden

	// Compute, if set, is called before the iterations of SCRAM, which take CPU time. It may
	// wait for a slot until ctx, that of the login, ends. After the iterations done is called.
	// An error ends the login. The error of the login wraps it, and is neither [ErrRejected]
	// nor [Unreachable].
	Compute func(ctx context.Context) (done func(), err error)

	// Certificate, if set, is called after each TLS handshake with the time when the server's
	// certificate ends, also if the certificate is refused. It must be safe for concurrent use.
	Certificate func(notAfter time.Time)

	// Opened, if set, is called after a [Pool] has opened a connection for a login, before any
	// part of the login is sent.
	Opened func()
}

// Login checks a password in one dialogue with the server. If err is nil, the password is right,
// and reply is the line in which the server said so.
func (s Server) Login(ctx context.Context, user, password string) (reply string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	c, err := s.Open(ctx)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Login(ctx, user, password)
}

// Open connects, with TLS if configured, and does everything that needs no user. The caller
// closes the connection.
func (s Server) Open(ctx context.Context) (*Conn, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if !c.awaitsCommand { // an error, or a panic of Trace
			c.raw.Close()
		}
	}()
	err = c.within(ctx, func() error { return c.prepare(false) })
	if err == nil {
		c.mechanisms, err = s.choose(c.caps)
	}
	if err == nil {
		err = context.Cause(ctx) // after its end no read or write works
	}
	if err != nil {
		return nil, err
	}
	c.awaitsCommand = true
	return c, nil
}

func (s Server) connect(ctx context.Context) (*Conn, error) {
	start := time.Now()
	dialer := net.Dialer{Timeout: s.ConnectTimeout}
	nc, err := dialer.DialContext(ctx, "tcp", s.Addr.String())
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := newConn(s, nc)
	c.took("connect", start)
	return c, nil
}

// Login checks a password. A connection is for one login only. Neither user name nor password
// may contain CR, LF or NUL. No error is [Unreachable] once the first command was sent.
func (c *Conn) Login(ctx context.Context, user, password string) (reply string, err error) {
	if strings.ContainsAny(user+password, "\r\n\x00") {
		return "", errors.New("user name or password contains CR, LF or NUL")
	}
	if c.used || !c.awaitsCommand {
		return "", errors.New("connection was used or closed: open another")
	}
	c.used, c.awaitsCommand = true, false
	c.hideLogin(user, password)
	ctx, cancel := context.WithTimeout(ctx, c.server.Timeout)
	defer cancel()
	err = c.within(ctx, func() error {
		reply, err = c.try(ctx, user, password)
		return err
	})
	if err != nil && (c.begun || c.sent) {
		err = sentError{err}
	}
	return reply, err
}

// try logs in by the first mechanism that the server begins.
func (c *Conn) try(ctx context.Context, user, password string) (reply string, failed error) {
	for _, m := range c.mechanisms {
		reply, err := m.login(ctx, c, user, password)
		if err == nil {
			return reply, nil
		}
		_, unknown := errors.AsType[notOffered](err)
		if failed != nil {
			err = fmt.Errorf("%w; %w", failed, err)
		}
		if failed = err; !unknown {
			break
		}
	}
	return "", failed
}

// within runs a part of the dialogue. When ctx ends, reads and writes return at once.
func (c *Conn) within(ctx context.Context, part func() error) error {
	defer context.AfterFunc(ctx, func() { c.raw.SetDeadline(time.Unix(1, 0)) })()
	err := part()
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrRejected) {
		return fmt.Errorf("given up (%w): %w", context.Cause(ctx), err)
	}
	return err
}
