package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBusy is the error of a login whose time ended while it waited for a connection of a
// [Pool] that others had. It says nothing about the server, and is not [Unreachable].
var ErrBusy = errors.New("all connections to the server are in use")

// Limits of a [Pool].
const (
	MaxConnections = 100
	WarmTTL        = time.Minute

	maxKeys     = 16
	demandFor   = 5 * time.Minute
	minOpenWait = time.Second
	maxOpenWait = time.Minute
)

// Pool bounds the connections to one mail server, by all its protocols, and may keep some
// of them open ahead of need. It is safe for concurrent use. A caller that lets in no more
// logins than there may be connections never has one wait for another.
type Pool struct {
	slots chan struct{} // a semaphore: of each connection, in a login, warm, or being opened
	warm  int
	ttl   time.Duration
	open  func(Server, context.Context) (*Conn, error)

	mu            sync.Mutex
	idle          map[connKey]*idleConns
	waiting       int             // logins, for a slot: nothing is opened ahead of need meanwhile
	closed        bool            // nothing is kept any more
	opening       context.Context // of what is being opened ahead of need
	cancelOpening context.CancelFunc
	background    sync.WaitGroup
}

// NewPool makes a pool of max connections at a time; [MaxConnections] if it is 0. For each
// protocol, address and settings that logins have had lately it keeps so many warm connections, each
// no longer than ttl, or [WarmTTL] if that is 0: less than servers and firewalls let a connection be
// idle. With warm 0 it keeps none.
func NewPool(max, warm int, ttl time.Duration) *Pool {
	if max <= 0 {
		max = MaxConnections
	}
	if ttl <= 0 {
		ttl = WarmTTL
	}
	p := &Pool{slots: make(chan struct{}, max), warm: warm, ttl: ttl, open: Server.Open, idle: map[connKey]*idleConns{}}
	p.opening, p.cancelOpening = context.WithCancel(context.Background())
	return p
}

// Login is [Server.Login], with a warm connection if there is one. Where more logins come than there may
// be connections, it waits for another one's end; if the context or the server's Timeout ends
// before, the error is [ErrBusy].
func (p *Pool) Login(ctx context.Context, s Server, user, password string) (reply string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	c, err := p.enter(ctx, s)
	if err != nil {
		return "", err
	}
	decided := false
	defer func() { p.leave(s, decided) }()
	reply, err = p.login(ctx, s, c, user, password)
	decided = err == nil || errors.Is(err, ErrRejected)
	return reply, err
}

// login asks the server by the warm connection c, if it is not nil. That the server is gone may
// show only when something is sent to it: then a fresh connection is opened.
func (p *Pool) login(ctx context.Context, s Server, c *Conn, user, password string) (string, error) {
	if c == nil {
		return p.loginFresh(ctx, s, user, password)
	}
	c.server.Compute = s.Compute // that of this login
	reply, gone, err := c.loginWarm(ctx, user, password)
	if !gone || ctx.Err() != nil {
		return reply, err
	}
	reply, err = p.loginFresh(ctx, s, user, password)
	if err != nil && c.sent { // what was sent may be why there is no other connection, or no time for it
		err = sentError{err}
	}
	return reply, err
}

func (p *Pool) loginFresh(ctx context.Context, s Server, user, password string) (string, error) {
	c, err := p.open(s, ctx)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if s.Opened != nil {
		s.Opened()
	}
	return c.Login(ctx, user, password)
}

// loginWarm reports also whether the server was gone: it has not said a word since.
func (c *Conn) loginWarm(ctx context.Context, user, password string) (reply string, gone bool, err error) {
	defer c.Close()
	before := c.lines
	reply, err = c.Login(ctx, user, password)
	return reply, err != nil && c.used && c.lines == before, err
}

// enter gets a slot: that of a warm connection for this login, which is returned; a free one; or
// that of a warm connection which this login cannot use, and which is closed.
func (p *Pool) enter(ctx context.Context, s Server) (*Conn, error) {
	for c := p.take(s); c != nil; c = p.take(s) {
		if c.Usable() {
			return c, nil
		}
		c.Close()
		<-p.slots
	}
	select {
	case p.slots <- struct{}{}:
		return nil, nil
	default:
	}
	if c := p.evict(); c != nil {
		c.Close()
		return nil, nil
	}
	return nil, p.wait(ctx)
}

// evict returns the warm connection that would end first, with its slot. If there is none the caller
// is counted as waiting, and is to wait: what is being opened ahead of need lets go of its slots, and
// nothing is kept or opened ahead of need meanwhile. That is one step, so that no connection becomes a
// warm one in between.
func (p *Pool) evict() *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	var from *idleConns
	for _, l := range p.idle {
		if len(l.conns) > 0 && (from == nil || l.conns[0].until.Before(from.conns[0].until)) {
			from = l
		}
	}
	if from != nil {
		return from.remove(from.conns[0])
	}
	p.waiting++
	p.cancelOpening()
	p.opening, p.cancelOpening = context.WithCancel(context.Background())
	return nil
}

// wait waits for a slot, after evict has found none.
func (p *Pool) wait(ctx context.Context) error {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
	}()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w, %d of them: given up (%w)", ErrBusy, cap(p.slots), context.Cause(ctx))
	}
}

// leave releases the slot. If the server has decided the login, the next one is prepared for.
func (p *Pool) leave(s Server, decided bool) {
	<-p.slots
	if !decided || !p.keeps(s) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.idle[keyOf(s)]; l != nil {
		p.refill(l)
	}
}

// Close closes the warm connections and ends all that goes on in the background.
// Logins go on, and find none.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.cancelOpening()
	p.mu.Unlock()
	p.DropWarm()
	p.background.Wait()
}

// DropWarm closes the warm connections, in the background. The next logins have others opened.
func (p *Pool) DropWarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.idle {
		p.drop(k)
	}
}
