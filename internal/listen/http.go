package listen

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// HTTP is a listener for net/http. It bounds the number of connections and of lines, which net/http
// does not.
type HTTP struct {
	connections[*httpConn]
}

// NewHTTP wraps a listening socket. Problems are logged to log, at most once a minute.
func NewHTTP(l net.Listener, log *slog.Logger) *HTTP {
	return &HTTP{newConnections[*httpConn](l, log)}
}

// Accept returns the next connection. If there are too many, it evicts another one; if all others
// have a request that is being answered, it closes the new one.
func (l *HTTP) Accept() (net.Conn, error) {
	for {
		nc, err := l.retryListener.Accept()
		if err != nil {
			return nil, err
		}
		c := &httpConn{Conn: nc, l: l, from: networkOf(nc), activity: activity{since: time.Now()}}
		l.mu.Lock()
		ok := l.add(c)
		l.mu.Unlock()
		if ok {
			return c, nil
		}
		nc.Close()
	}
}

// LastAnswers makes each answer of h the last one of its connection when the listener has been closed. net/http does
// the same in Shutdown, but it does not answer a request that it reads afterwards.
func (l *HTTP) LastAnswers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.draining.Load() || l.isClosed() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}

// httpConn is the connection of a web server or another client.
type httpConn struct {
	net.Conn // the socket
	l        *HTTP
	from     netip.Prefix

	mu sync.Mutex // of what follows
	activity
	answering bool // a request was read, and net/http does not wait for more of it
	used      bool // something was read
	begun     bool // something was read since the last answer
	lineStart bool // the last byte was the end of a line
	lines     int  // read since the last answer
}

var errLines = errors.New("HTTP request of more than " + strconv.Itoa(MaxLines) + " lines")

// Read returns an error after too many lines. net/http bounds the bytes of a header, but needs up
// to a hundred bytes of memory for each.
//
// While a handler runs, net/http reads a single byte, to notice that the client closes the
// connection. A longer read means that it waits for a request, or for the rest of one.
func (c *httpConn) Read(p []byte) (int, error) {
	if len(p) > 1 {
		c.mu.Lock()
		c.answering = false
		c.mu.Unlock()
	}
	n, err := c.Conn.Read(p)
	if c.scan(p[:n]) <= MaxLines {
		return n, err
	}
	c.l.warn("connection ended", c, "error", errLines)
	return 0, errLines
}

// scan looks for the empty line that ends a header. It returns the number of lines since the last
// answer.
func (c *httpConn) scan(p []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(p) > 0 {
		c.used, c.begun = true, true
	}
	for _, b := range p {
		switch b {
		case '\n':
			c.lines++
			c.answering = c.answering || c.lineStart
			c.lineStart = true
		case '\r':
		default:
			c.lineStart = false
		}
	}
	return c.lines
}

// Write is called with an answer or a part of it.
func (c *httpConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.activity, c.lines, c.begun = activity{answered: true, since: time.Now()}, 0, false
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// Close may be called more than once.
func (c *httpConn) Close() error {
	c.l.mu.Lock()
	c.l.remove(c)
	c.l.endIfEmpty()
	c.l.mu.Unlock()
	return c.Conn.Close()
}

func (c *httpConn) network() netip.Prefix { return c.from }

func (c *httpConn) waiting() (activity, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.activity, !c.answering
}

func (c *httpConn) evict() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answering {
		return false
	}
	c.Conn.Close()
	return true
}

func (c *httpConn) drain(shutdown time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answering && !c.begun && c.expired(!c.used, shutdown) {
		c.Conn.Close()
	}
}

func (c *httpConn) abort() { c.Conn.Close() }
