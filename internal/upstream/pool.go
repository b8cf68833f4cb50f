package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBusy is the error of a login whose deadline passed while it waited for a slot of a [Pool].
// It says nothing about the server, and is not [Unreachable].
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

// Pool bounds the connections to one mail server, of all protocols together, and may open some
// of them in advance. It is safe for concurrent use.
type Pool struct {
	slots chan struct{} // a semaphore: each connection has a slot, in a login, warm, or being opened
	warm  int
	ttl   time.Duration
	open  func(Server, context.Context) (*Conn, error)

	mu            sync.Mutex
	idle          map[connKey]*idleConns
	waiting       int             // logins that wait for a slot; meanwhile nothing is opened in advance
	closed        bool            // no connection is kept any more
	opening       context.Context // of connections that are being opened in advance
	cancelOpening context.CancelFunc
	background    sync.WaitGroup
}

// NewPool makes a pool of at most max connections, or [MaxConnections] if max is 0. For each
// protocol, address and settings of recent logins it keeps as many warm connections as warm says.
// Each is kept for ttl, or [WarmTTL] if ttl is 0. It should be less than servers and firewalls let
// a connection be idle.
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

// Login does what [Server.Login] does, on a warm connection if there is one. If all slots are in
// use, it waits for one. If ctx or the server's Timeout ends before, the error is [ErrBusy].
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

// login logs in on the warm connection c, or on a fresh one if c is nil. Often a closed connection
// is noticed only when something is sent on it. Then login repeats the login on a fresh one.
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
	if err != nil && c.sent { // what was sent may have caused the second failure, too
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

// loginWarm also reports whether the server had closed the connection, without sending anything
// since it became warm.
func (c *Conn) loginWarm(ctx context.Context, user, password string) (reply string, gone bool, err error) {
	defer c.Close()
	before := c.lines
	reply, err = c.Login(ctx, user, password)
	return reply, err != nil && c.used && c.lines == before, err
}

// enter acquires a slot. The first choice is that of a warm connection for this login, which enter
// returns. The next is a free slot. The last is that of a warm connection that this login cannot use,
// which enter closes.
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

// evict returns the warm connection that would expire first, with its slot. If there is none, evict
// counts the caller as waiting, and the caller must call wait. Connections that are being opened
// in advance are given up, and none is opened or kept meanwhile. All of that is done with mu held
// once, so that no connection becomes a warm one in between.
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

// wait waits for a slot after evict has returned nil.
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
		return fmt.Errorf("%w (max_connections = %d): %w", ErrBusy, cap(p.slots), context.Cause(ctx))
	}
}

// leave releases the slot. If the server has decided the login, missing warm connections are
// opened.
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

// Close closes the warm connections and ends everything in the background. Logins still work,
// without warm connections.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.cancelOpening()
	p.mu.Unlock()
	p.DropWarm()
	p.background.Wait()
}

// DropWarm closes the warm connections, in the background. Later logins open new ones.
func (p *Pool) DropWarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.idle {
		p.drop(k)
	}
}
