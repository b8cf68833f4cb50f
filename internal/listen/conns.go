package listen

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"mailauthd/internal/limit"
)

// activity is when a connection was last of use.
type activity struct {
	answered bool      // there was an answer
	since    time.Time // of the last answer, or of connecting
}

// peerConn is a connection that can be ended to make room for another.
type peerConn interface {
	comparable
	net.Conn
	network() netip.Prefix

	// waiting reports whether no request is being answered, and since when.
	waiting() (activity, bool)

	// evict closes the socket, unless a request is being answered.
	evict() bool
}

// connections are those of one listening socket. They are bounded, in all and by TCP address.
type connections[C peerConn] struct {
	*retryListener
	refused rateLimitedLog

	mu    sync.Mutex // of what follows
	conns map[C]struct{}
	count *limit.Counter
}

func newConnections[C peerConn](l net.Listener, log *slog.Logger) connections[C] {
	return connections[C]{
		retryListener: newRetryListener(l, log),
		conns:         make(map[C]struct{}),
		count:         limit.NewCounter(MaxConns, MaxPeerConns),
	}
}

// warn logs what is wrong with a connection or its peer.
func (l *connections[C]) warn(message string, c net.Conn, args ...any) {
	l.refused.warn(l.log, message, append(args, "client", c.RemoteAddr().String(), "listener", l.Addr().String())...)
}

// add is called with mu held. It reports whether there is room for c, or was made.
func (l *connections[C]) add(c C) bool {
	if all, own := l.count.Full(c.network()); all || own {
		l.warn("too many connections", c)
		if !l.makeRoom(func(o C) bool { return !own || o.network() == c.network() }) {
			return false
		}
	}
	l.conns[c] = struct{}{}
	l.count.Add(c.network())
	return true
}

// makeRoom ends the connection that has waited the longest, of those that match. It is called with mu held.
func (l *connections[C]) makeRoom(match func(C) bool) bool {
	for {
		old, ok := l.longestWaiting(match)
		if !ok {
			return false
		}
		if old.evict() { // or its request is complete just now
			l.remove(old)
			return true
		}
	}
}

// longestWaiting is called with mu held. Of connections with and without an answer it takes those that are more: a flood
// of either kind ends its own.
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

// remove is called with mu held, more than once for some connections.
func (l *connections[C]) remove(c C) {
	if _, ok := l.conns[c]; ok {
		delete(l.conns, c)
		l.count.Remove(c.network())
	}
}
