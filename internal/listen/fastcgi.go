package listen

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// FastCGI is a listener for net/http/fcgi, and guards it: it reads what web servers send,
// passes on complete requests only, and sends each answer by one write.
type FastCGI struct {
	connections[*fcgiConn]
	begin  sync.Once
	ready  chan *fcgiConn // with a complete request
	slots  chan struct{}  // at net/http/fcgi, each with a connection
	wanted atomic.Int32   // connections that wait for a slot
	large  chan struct{}  // slots for requests of more than SmallParams

	stopped bool          // guarded by mu
	gone    chan struct{} // closed when stopped, and there are no connections
}

// NewFastCGI wraps a listening socket. What goes wrong is logged, once a minute.
func NewFastCGI(l net.Listener, log *slog.Logger) *FastCGI {
	return &FastCGI{
		connections: newConnections[*fcgiConn](l, log),
		ready:       make(chan *fcgiConn),
		slots:       make(chan struct{}, MaxRequests),
		large:       make(chan struct{}, MaxLarge),
		gone:        make(chan struct{}),
	}
}

// Accept returns connections with a complete request. It returns an error when the listener is
// closed and all connections have ended.
func (l *FastCGI) Accept() (net.Conn, error) {
	l.begin.Do(func() { go l.acceptAll() })
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.gone:
		return nil, net.ErrClosed
	}
}

func (l *FastCGI) acceptAll() {
	for {
		nc, err := l.retryListener.Accept()
		if err != nil {
			return
		}
		if c := newFCGIConn(nc, l); l.admit(c) {
			go c.wait()
		} else {
			nc.Close()
		}
	}
}

// admit makes room for a connection by ending another one.
func (l *FastCGI) admit(c *fcgiConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.stopped && l.add(c)
}

// endLarge ends a connection with a large request that is not complete, and leaves its slot for
// large ones to the caller.
func (l *FastCGI) endLarge() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, ok := l.longestWaiting((*fcgiConn).isLarge)
	if !ok {
		return false
	}
	old.mu.Lock()
	defer old.mu.Unlock()
	if !old.large || old.phase == answering {
		return false // just now; there is no hurry to look for another
	}
	old.large = false
	old.Conn.Close()
	return true
}

// acquireSlot gets a slot at net/http/fcgi, unless that takes too long.
func (l *FastCGI) acquireSlot(c *fcgiConn) bool {
	select {
	case l.slots <- struct{}{}:
	default:
		if !l.waitForSlot() {
			return false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hasSlot = true
	return true
}

func (l *FastCGI) waitForSlot() bool {
	l.wanted.Add(1)
	defer l.wanted.Add(-1)
	select {
	case l.slots <- struct{}{}:
		return true
	case <-time.After(QueueTimeout):
		return false
	}
}

// scarce reports whether slots are few, so that connections leave net/http/fcgi after each answer.
func (l *FastCGI) scarce() bool { return l.wanted.Load() > 0 || len(l.slots) > maxIdleSlots }

// hand gives a connection to net/http/fcgi.
func (l *FastCGI) hand(c *fcgiConn) {
	select {
	case l.ready <- c:
	case <-l.gone: // it was ended to make room, and so is not waited for
		c.end(net.ErrClosed)
	}
}

// endIfEmpty is called with mu held.
func (l *FastCGI) endIfEmpty() {
	if !l.stopped || len(l.conns) > 0 {
		return
	}
	select {
	case <-l.gone:
	default:
		close(l.gone)
	}
}

// ended forgets a connection, and logs why it ended.
func (l *FastCGI) ended(c *fcgiConn, err error) {
	l.mu.Lock()
	l.remove(c)
	l.endIfEmpty()
	l.mu.Unlock()
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return // the peer closed it, we did, or it was idle
	}
	l.warn("FastCGI connection ended", c, "error", err)
}

// notHTTP is called when net/http/fcgi makes no request of the variables; it answers
// with status 500 then, which lets no login in.
func (l *FastCGI) notHTTP(c *fcgiConn) {
	l.warn("FastCGI request without a good REQUEST_METHOD, SERVER_PROTOCOL or REQUEST_URI", c)
}

// Close stops accepting. Connections live on.
func (l *FastCGI) Close() error {
	err := l.retryListener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	l.endIfEmpty()
	return err
}

// Shutdown stops accepting, ends idle connections, and waits for each of the others
// to finish its request, or for ctx; then it ends what is left.
func (l *FastCGI) Shutdown(ctx context.Context) error {
	l.Close()
	for _, c := range l.all() {
		c.drain()
	}
	select {
	case <-l.gone:
		return nil
	case <-ctx.Done():
	}
	for _, c := range l.all() {
		c.Conn.Close()
	}
	return ctx.Err()
}

func (l *FastCGI) all() []*fcgiConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.conns))
}
