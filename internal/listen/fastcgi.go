package listen

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// FastCGI is a listener that protects net/http/fcgi: it reads what web servers send, passes on only
// complete requests, and sends each answer with one write.
type FastCGI struct {
	connections[*fcgiConn]
	begin  sync.Once
	ready  chan *fcgiConn // connections with a complete request
	slots  chan struct{}  // a semaphore: each connection at net/http/fcgi has a slot
	wanted atomic.Int32   // connections that wait for a slot
	large  chan struct{}  // a semaphore: each request of more than SmallParams has a slot
}

// NewFastCGI wraps a listening socket. Problems are logged to log, at most once a minute.
func NewFastCGI(l net.Listener, log *slog.Logger) *FastCGI {
	return &FastCGI{
		connections: newConnections[*fcgiConn](l, log),
		ready:       make(chan *fcgiConn),
		slots:       make(chan struct{}, MaxRequests),
		large:       make(chan struct{}, MaxLarge),
	}
}

// Accept returns the next connection with a complete request. It returns an error when the listener
// is closed and all connections have ended.
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

// admit adds a connection, after evicting another one if there are too many. It reports whether it
// could.
func (l *FastCGI) admit(c *fcgiConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.stopped && l.add(c)
}

// evictLarge closes a connection with a large request that is not complete, and leaves its slot for
// large requests to the caller. It reports whether there was one.
func (l *FastCGI) evictLarge() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	old, ok := l.longestWaiting((*fcgiConn).isLarge)
	if !ok {
		return false
	}
	old.mu.Lock()
	defer old.mu.Unlock()
	if !old.large || old.phase == answering {
		return false // the request has become complete meanwhile; another one is not looked for
	}
	old.large = false
	old.Conn.Close()
	return true
}

// acquireSlot acquires a slot at net/http/fcgi. It returns false after QueueTimeout.
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

// scarce reports whether few slots are free, so that connections must give up theirs after each
// answer.
func (l *FastCGI) scarce() bool { return l.wanted.Load() > 0 || len(l.slots) > maxIdleSlots }

// hand passes a connection to net/http/fcgi.
func (l *FastCGI) hand(c *fcgiConn) {
	select {
	case l.ready <- c:
	case <-l.gone: // it was evicted, so Close has not waited for it
		c.end(net.ErrClosed)
	}
}

// ended removes a connection, and logs why it ended.
func (l *FastCGI) ended(c *fcgiConn, err error) {
	l.mu.Lock()
	l.remove(c)
	l.endIfEmpty()
	l.mu.Unlock()
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return // it was closed, by the peer or by us, or timed out
	}
	l.warn("FastCGI connection ended", c, "error", err)
}

// notHTTP is called when net/http/fcgi cannot make a request of the variables. It answers with
// status 500, which lets no login in.
func (l *FastCGI) notHTTP(c *fcgiConn) {
	l.warn("FastCGI request without a good REQUEST_METHOD, SERVER_PROTOCOL or REQUEST_URI", c)
}
