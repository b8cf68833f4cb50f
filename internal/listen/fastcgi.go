package listen

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"
)

// FastCGI is a listener for net/http/fcgi, which has no shutdown of its own. It knows
// which of its connections are in the middle of a request, by the records
// that pass, and so can end the others.
type FastCGI struct {
	net.Listener
	log   *slog.Logger
	done  chan struct{}
	once  sync.Once
	mu    sync.Mutex
	conns map[*fcgiConn]struct{}
	empty chan struct{} // closed by the last connection after Shutdown began
}

// NewFastCGI wraps a listening socket. Why it cannot accept is told to log, once a minute.
func NewFastCGI(l net.Listener, log *slog.Logger) *FastCGI {
	return &FastCGI{Listener: l, log: log, done: make(chan struct{}), conns: make(map[*fcgiConn]struct{})}
}

// Bounds of the pause after a failed accept, as in net/http.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// Accept returns an error only when the listener is closed.
func (l *FastCGI) Accept() (net.Conn, error) {
	pause, warned := minPause, time.Time{}
	for {
		nc, err := l.Listener.Accept()
		if err == nil {
			return l.track(nc)
		}
		select {
		case <-l.done:
			return nil, net.ErrClosed
		default:
		}
		if now := time.Now(); now.Sub(warned) >= time.Minute {
			warned = now
			l.log.Warn("cannot accept", "listener", l.Addr().String(), "error", err)
		}
		select {
		case <-l.done:
			return nil, net.ErrClosed
		case <-time.After(pause):
			pause = min(2*pause, maxPause)
		}
	}
}

func (l *FastCGI) track(nc net.Conn) (net.Conn, error) {
	c := &fcgiConn{Conn: nc, l: l, open: make(map[uint16]bool)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.empty != nil {
		nc.Close()
		return nil, net.ErrClosed
	}
	l.conns[c] = struct{}{}
	return c, nil
}

// Close stops accepting. Connections live on.
func (l *FastCGI) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// Shutdown stops accepting, ends idle connections, and waits for each of the others
// to finish its request, or for ctx; then it ends what is left.
func (l *FastCGI) Shutdown(ctx context.Context) error {
	l.Close()
	l.mu.Lock()
	if l.empty == nil {
		l.empty = make(chan struct{})
		if len(l.conns) == 0 {
			close(l.empty)
		}
	}
	empty, conns := l.empty, make([]*fcgiConn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		c.drain()
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	for _, c := range conns {
		c.Close()
	}
	return ctx.Err()
}

func (l *FastCGI) forget(c *fcgiConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.conns[c]; !ok {
		return
	}
	delete(l.conns, c)
	if l.empty != nil && len(l.conns) == 0 {
		close(l.empty)
	}
}
