package ldapdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// Limits of the connections.
const (
	IdleTime = time.Minute      // how long a connection is kept idle
	MaxAge   = 10 * time.Minute // how long a connection is used, so that the first server is used again after an outage

	maxSends = 2 // how often a request is sent if no answer comes
	fair     = 4 // a server that had less than this part of its share of the timeout is not to blame
)

// ErrBusy is the error of a request whose deadline passed while it waited for a connection.
var ErrBusy = errors.New("all connections are in use")

// pool bounds connections that are prepared in the same way.
type pool struct {
	db      *DB
	prepare func(context.Context, *conn) error
	slots   chan struct{} // a semaphore: each connection in use has a slot; there are no more idle ones than slots

	mu     sync.Mutex
	idle   []*conn // the one used last at the end
	open   int     // connections, idle ones included
	closed bool
}

func newPool(d *DB, prepare func(context.Context, *conn) error) *pool {
	return &pool{db: d, prepare: prepare, slots: make(chan struct{}, d.config.MaxConnections)}
}

// do sends a request on a connection. It uses an idle one, or else opens one to the first server that can be reached.
// If no answer comes, do sends the request once more: to the same server if it has closed the idle connection, or to the
// next one. The error is the server's answer, or says why there is none.
func (p *pool) do(ctx context.Context, request func(*conn) error) error {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return fmt.Errorf("%w (max_connections = %d): %w", ErrBusy, cap(p.slots), context.Cause(ctx))
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	sent := 0
	var silent *target
	if c := p.take(); c != nil {
		sent++
		share, done := share(ctx, len(p.db.ready(c.target))+1)
		err := p.use(share, c, request)
		if share.Err() != nil {
			silent = c.target
		}
		done()
		if answered(err) || ctx.Err() != nil {
			return err
		}
	}
	return p.fresh(ctx, p.db.ready(silent), sent, request)
}

// fresh sends a request on new connections to the targets in turn, until an answer comes.
func (p *pool) fresh(ctx context.Context, targets []*target, sent int, request func(*conn) error) error {
	err := p.db.errNone()
	before := "" // the errors of the targets before, because the last one may not be what is wrong
	for i, t := range targets {
		ticket, ok := t.breaker.Allow()
		if !ok {
			continue
		}
		share, cancel := share(ctx, len(targets)-i)
		var c *conn
		if c, err = p.connect(share, t, ticket); err == nil {
			sent++
			err = p.use(share, c, request)
		}
		cancel()
		if answered(err) {
			return err
		}
		err = fmt.Errorf("%s%s: %w", before, t.uri, err)
		before = err.Error() + "; "
		if sent >= maxSends || ctx.Err() != nil {
			break
		}
	}
	return err
}

// detach returns a context that ends at the same deadline, but not when the client goes away. The connection would be lost
// with the request, so a client could make the service connect again and again.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(context.WithoutCancel(ctx))
	}
	return context.WithDeadline(context.WithoutCancel(ctx), deadline)
}

// share returns a context that ends after the n-th part of the time that is left.
func share(ctx context.Context, n int) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok || n <= 1 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/time.Duration(n))
}

// connect opens and prepares a connection, and tells the breaker how that went.
func (p *pool) connect(ctx context.Context, t *target, ticket route.Ticket) (*conn, error) {
	defer ticket.Drop()
	began := time.Now()
	c, err := p.db.connect(ctx, t)
	if err == nil {
		p.count(+1)
		if err = p.prepare(ctx, c); err != nil {
			p.discard(c)
		}
	}
	switch {
	case err == nil:
		ticket.Answered()
	case upstream.Starved(err):
	case ctx.Err() != nil && time.Since(began) < p.db.config.Timeout/time.Duration(fair*len(p.db.targets)):
	default:
		ticket.Failed(err)
	}
	return c, err
}

// use sends the request, and keeps the connection if the server has answered.
func (p *pool) use(ctx context.Context, c *conn, request func(*conn) error) error {
	err := c.run(ctx, func() error { return request(c) })
	if answered(err) && c.usable() {
		p.put(c)
	} else {
		p.discard(c)
	}
	return err
}

// take returns the idle connection that was used last, or nil.
func (p *pool) take() *conn {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		c.idle.Stop()
		if c.usable() {
			return c
		}
		p.discard(c)
	}
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		go p.retire(c)
		return
	}
	c.idle = time.AfterFunc(IdleTime, func() { p.expire(c) })
	p.idle = append(p.idle, c)
}

// expire closes a connection unless it is in use.
func (p *pool) expire(c *conn) {
	p.mu.Lock()
	i := slices.Index(p.idle, c)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		p.retire(c)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.idle.Stop()
		p.retire(c)
	}
}

func (p *pool) retire(c *conn) {
	c.leave()
	p.count(-1)
}

func (p *pool) discard(c *conn) {
	c.drop()
	p.count(-1)
}

func (p *pool) count(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open += n
}

func (p *pool) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}
