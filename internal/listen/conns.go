package listen

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"mailauthd/internal/limit"
)

// activity is when a connection was last used.
type activity struct {
	answered bool      // a request was answered
	since    time.Time // the last answer, or else the accept
}

// peerConn is a connection that can be evicted.
type peerConn interface {
	comparable
	net.Conn
	network() netip.Prefix

	// waiting reports whether no request is being answered, and returns the last activity.
	waiting() (activity, bool)

	// evict closes the socket, unless a request is being answered.
	evict() bool

	// drain closes the socket, unless a request is in it or may still arrive: see lastChance.
	drain(shutdown time.Time)

	// abort closes the socket.
	abort()
}

// Limits of a shutdown.
const (
	firstRequest = 5 * time.Second       // from the accept: how long a connection that has sent nothing stays open
	lastChance   = 20 * time.Millisecond // how long an idle connection stays open for a request that is on its way
)

// expired reports whether a connection without a request ends, when a shutdown has begun.
func (a activity) expired(fresh bool, shutdown time.Time) bool {
	return time.Since(shutdown) >= lastChance && time.Since(a.since) >= lastChance && (!fresh || time.Since(a.since) >= firstRequest)
}

// connections holds the connections of one listening socket. It bounds their number, in total and
// by TCP address.
type connections[C peerConn] struct {
	*retryListener
	refused rateLimitedLog

	mu    sync.Mutex // of what follows
	conns map[C]struct{}
	count *limit.Counter
	stats Stats

	stopped bool
	gone    chan struct{} // closed when stopped and there are no connections
}

func newConnections[C peerConn](l net.Listener, log *slog.Logger) connections[C] {
	return connections[C]{
		retryListener: newRetryListener(l, log),
		conns:         make(map[C]struct{}),
		count:         limit.NewCounter(MaxConns, MaxPeerConns),
		gone:          make(chan struct{}),
	}
}

// warn logs a warning about a connection.
func (l *connections[C]) warn(message string, c net.Conn, args ...any) {
	l.refused.warn(l.log, message, append(args, "client", c.RemoteAddr().String(), "listener", l.Addr().String())...)
}

// add adds c, after evicting another connection if there are too many. It reports whether it could.
// The caller holds mu.
func (l *connections[C]) add(c C) bool {
	l.stats.Accepted++
	if all, own := l.count.Full(c.network()); all || own {
		l.warn("too many connections", c)
		if !l.makeRoom(func(o C) bool { return !own || o.network() == c.network() }) {
			l.stats.Refused++
			return false
		}
	}
	l.conns[c] = struct{}{}
	l.count.Add(c.network())
	return true
}

// makeRoom evicts the connection that has waited the longest, of those that match. It is called
// with mu held.
func (l *connections[C]) makeRoom(match func(C) bool) bool {
	for {
		old, ok := l.longestWaiting(match)
		if !ok {
			return false
		}
		if old.evict() { // it fails if the request has become complete meanwhile
			l.remove(old)
			l.stats.Evicted++
			return true
		}
	}
}

// longestWaiting finds the connection to evict. It is called with mu held. Of connections with and without an answer it
// chooses the kind that has more, so that a flood of either kind evicts its own.
func (l *connections[C]) longestWaiting(match func(C) bool) (found C, ok bool) {
	type kind struct {
		size  int
		first C // the one that has waited longest
		since time.Time
	}
	kinds := make(map[bool]kind)
	for c := range l.conns {
		last, waits := c.waiting()
		if !waits || !match(c) {
			continue
		}
		k := kinds[last.answered]
		if k.size == 0 || last.since.Before(k.since) {
			k.first, k.since = c, last.since
		}
		k.size++
		kinds[last.answered] = k
	}
	more := kinds[true].size > kinds[false].size
	return kinds[more].first, kinds[more].size > 0
}

// remove removes c. It is called with mu held, and more than once for some connections.
func (l *connections[C]) remove(c C) {
	if _, ok := l.conns[c]; ok {
		delete(l.conns, c)
		l.count.Remove(c.network())
	}
}

// endIfEmpty closes gone if the listener is closed and there are no connections. It is called with mu held.
func (l *connections[C]) endIfEmpty() {
	if !l.stopped || len(l.conns) > 0 {
		return
	}
	select {
	case <-l.gone:
	default:
		close(l.gone)
	}
}

// Close stops accepting. Open connections stay, also those that were made but not accepted yet.
func (l *connections[C]) Close() error {
	err := l.retryListener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.endIfEmpty()
	return err
}

// Shutdown stops accepting. It waits for the requests of all connections, and for those that have just been made to
// send one. It closes idle connections. When ctx ends, it closes those that are left.
func (l *connections[C]) Shutdown(ctx context.Context) error {
	l.Close()
	begun := time.Now()
	for {
		for _, c := range l.all() {
			c.drain(begun)
		}
		select {
		case <-l.gone:
			return nil
		case <-ctx.Done():
			for _, c := range l.all() {
				c.abort()
			}
			return ctx.Err()
		case <-time.After(lastChance):
		}
	}
}

func (l *connections[C]) all() []C {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.conns))
}
