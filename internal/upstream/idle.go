package upstream

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// connKey identifies connections that can replace each other. It has all settings of [Server]
// but those of a single login.
type connKey struct {
	protocol       string
	addr           netip.AddrPort
	connect, total time.Duration
	tls            TLS
	mechanisms     string
	cleartext      bool
}

func keyOf(s Server) connKey {
	return connKey{s.Protocol, s.Addr, s.ConnectTimeout, s.Timeout, s.TLS, strings.Join(s.Mechanisms, " "), s.AllowCleartext}
}

// idleConns are the warm connections of one key.
type idleConns struct {
	server    Server
	conns     []*idleConn // the oldest first
	opening   int
	lastLogin time.Time
	dropped   bool // no more connections are added

	delay   time.Duration // the pause after the latest failure to open one
	retryAt time.Time     // the end of the pause
}

// idleConn is a warm connection.
type idleConn struct {
	*Conn
	until time.Time
	timer *time.Timer
}

// remove removes one of the connections, so that the caller can use or close it. It returns nil
// if another goroutine has removed it already.
func (l *idleConns) remove(ic *idleConn) *Conn {
	i := slices.Index(l.conns, ic)
	if i < 0 {
		return nil
	}
	l.conns = slices.Delete(l.conns, i, i+1)
	ic.timer.Stop()
	return ic.Conn
}

// keeps reports whether logins to s use warm connections. A login with a trace does not,
// because the trace has the whole dialogue.
func (p *Pool) keeps(s Server) bool { return p.warm > 0 && s.Trace == nil }

// take returns a warm connection, with its slot, or nil.
func (p *Pool) take(s Server) *Conn {
	if !p.keeps(s) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	l := p.idleFor(s)
	l.lastLogin = time.Now()
	for len(l.conns) > 0 {
		ic := l.conns[0]
		if ic.until.After(l.lastLogin) {
			return l.remove(ic)
		}
		p.expire(l, ic)
	}
	return nil
}

// idleFor returns the idle connections for logins to s. If their key is new and there are too
// many keys, it evicts the least recently used one.
func (p *Pool) idleFor(s Server) *idleConns {
	k := keyOf(s)
	if l := p.idle[k]; l != nil {
		return l
	}
	if len(p.idle) >= maxKeys {
		var last connKey
		for k, l := range p.idle {
			if found := p.idle[last]; found == nil || l.lastLogin.Before(found.lastLogin) {
				last = k
			}
		}
		p.drop(last)
	}
	s.Compute, s.Opened = nil, nil // these are of this login only
	p.idle[k] = &idleConns{server: s}
	return p.idle[k]
}

// drop closes all idle connections of a key.
func (p *Pool) drop(k connKey) {
	l := p.idle[k]
	delete(p.idle, k)
	l.dropped = true
	for len(l.conns) > 0 {
		p.discard(l.remove(l.conns[0]), nil)
	}
}

// discard closes a connection in the background, and then calls then with mu held, if it is not
// nil.
func (p *Pool) discard(c *Conn, then func()) {
	p.background.Go(func() {
		c.Close()
		<-p.slots
		if then != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			then()
		}
	})
}

// expire closes an idle connection, and replaces it if there is demand.
func (p *Pool) expire(l *idleConns, ic *idleConn) {
	if c := l.remove(ic); c != nil {
		p.discard(c, func() { p.refill(l) })
	}
}

// refill opens the idle connections that are missing for a key with recent logins, as long as
// there are free slots and no login waits for one. After a failure it opens none until the pause
// is over and another login has shown that the server answers.
func (p *Pool) refill(l *idleConns) {
	now := time.Now()
	if l.dropped || p.waiting > 0 || now.Before(l.retryAt) || now.Sub(l.lastLogin) > demandFor {
		return
	}
	for len(l.conns)+l.opening < p.warm {
		select {
		case p.slots <- struct{}{}:
		default:
			return
		}
		l.opening++
		ctx := p.opening
		p.background.Go(func() { p.openFor(ctx, l) })
	}
}

// openFor opens an idle connection.
func (p *Pool) openFor(ctx context.Context, l *idleConns) {
	c, err := p.open(l.server, ctx)
	if p.add(ctx, l, c, err) {
		return
	}
	if c != nil {
		c.Close()
	}
	<-p.slots
}

// add adds a connection that was opened, or counts the failure. It reports whether the connection
// and its slot are kept.
func (p *Pool) add(ctx context.Context, l *idleConns, c *Conn, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.opening--
	now := time.Now()
	if err != nil {
		if ctx.Err() == nil && !now.Before(l.retryAt) { // several failures at a time count once
			l.delay = min(max(2*l.delay, minOpenWait), maxOpenWait)
			l.retryAt = now.Add(l.delay)
		}
		return false
	}
	l.delay = 0
	if l.dropped || p.waiting > 0 {
		return false
	}
	ic := &idleConn{Conn: c, until: now.Add(p.ttl)}
	ic.timer = time.AfterFunc(p.ttl, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.expire(l, ic)
	})
	l.conns = append(l.conns, ic)
	return true
}
