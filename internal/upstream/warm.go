package upstream

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// kind is what connections must have in common for one to do for the other: all of
// [Server] but what belongs to one login only.
type kind struct {
	protocol       string
	addr           netip.AddrPort
	connect, total time.Duration
	tls            TLS
	mechanisms     string
	cleartext      bool
}

func kindOf(s Server) kind {
	return kind{s.Protocol, s.Addr, s.ConnectTimeout, s.Timeout, s.TLS, strings.Join(s.Mechanisms, " "), s.AllowCleartext}
}

// shelf holds the warm connections of one kind.
type shelf struct {
	server  Server
	idle    []*warmConn // the oldest first
	opening int
	asked   time.Time // last, by a login
	gone    bool      // nothing is to be put here any more

	rest  time.Duration // after the latest failure
	retry time.Time     // the end of the rest
}

// warmConn is a connection that waits for its login.
type warmConn struct {
	*Conn
	until time.Time
	end   *time.Timer
}

// take takes w from the shelf, unless somebody else has.
func (sh *shelf) take(w *warmConn) *Conn {
	i := slices.Index(sh.idle, w)
	if i < 0 {
		return nil
	}
	sh.idle = slices.Delete(sh.idle, i, i+1)
	w.end.Stop()
	return w.Conn
}

// keeps tells whether warm connections are for logins to s. A trace is of a whole
// dialogue, so its login has one of its own.
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
	sh := p.shelf(s)
	sh.asked = time.Now()
	for len(sh.idle) > 0 {
		w := sh.idle[0]
		if w.until.After(sh.asked) {
			return sh.take(w)
		}
		p.expire(sh, w)
	}
	return nil
}

// shelf finds that of a server, or puts up a new one, for which the one that was not asked
// for the longest may have to go.
func (p *Pool) shelf(s Server) *shelf {
	k := kindOf(s)
	if sh := p.shelves[k]; sh != nil {
		return sh
	}
	if len(p.shelves) >= maxKinds {
		var last kind
		for k, sh := range p.shelves {
			if found := p.shelves[last]; found == nil || sh.asked.Before(found.asked) {
				last = k
			}
		}
		p.drop(last)
	}
	s.Compute = nil // of this login only
	p.shelves[k] = &shelf{server: s}
	return p.shelves[k]
}

// drop takes down a shelf with all that is on it.
func (p *Pool) drop(k kind) {
	sh := p.shelves[k]
	delete(p.shelves, k)
	sh.gone = true
	for len(sh.idle) > 0 {
		p.discard(sh.take(sh.idle[0]), nil)
	}
}

// discard closes a connection in the background, and then does what is left to do.
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

// expire ends a warm connection, and replaces it if there is demand.
func (p *Pool) expire(sh *shelf, w *warmConn) {
	if c := sh.take(w); c != nil {
		p.discard(c, func() { p.refill(sh) })
	}
}

// refill opens what is missing on a shelf that is asked for, as far as there are slots
// that nobody waits for. What fails is tried again after a rest, when the next login has
// shown that the server answers.
func (p *Pool) refill(sh *shelf) {
	now := time.Now()
	if sh.gone || p.waiting > 0 || now.Before(sh.retry) || now.Sub(sh.asked) > demandFor {
		return
	}
	for len(sh.idle)+sh.opening < p.warm {
		select {
		case p.slots <- struct{}{}:
		default:
			return
		}
		sh.opening++
		ctx := p.opening
		p.background.Go(func() { p.openFor(ctx, sh) })
	}
}

// openFor opens a connection for a shelf.
func (p *Pool) openFor(ctx context.Context, sh *shelf) {
	c, err := p.open(sh.server, ctx)
	if p.put(ctx, sh, c, err) {
		return
	}
	if c != nil {
		c.Close()
	}
	<-p.slots
}

// put tells whether the connection and its slot are kept.
func (p *Pool) put(ctx context.Context, sh *shelf, c *Conn, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	sh.opening--
	now := time.Now()
	if err != nil {
		if ctx.Err() == nil && !now.Before(sh.retry) { // others that failed along count once
			sh.rest = min(max(2*sh.rest, minOpenWait), maxOpenWait)
			sh.retry = now.Add(sh.rest)
		}
		return false
	}
	sh.rest = 0
	if sh.gone || p.waiting > 0 {
		return false
	}
	w := &warmConn{Conn: c, until: now.Add(p.ttl)}
	w.end = time.AfterFunc(p.ttl, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.expire(sh, w)
	})
	sh.idle = append(sh.idle, w)
	return true
}
