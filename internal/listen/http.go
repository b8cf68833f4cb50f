package listen

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
)

// HTTP is a listener for net/http, which bounds all but the number of connections, and of lines.
type HTTP struct {
	*retryListener
	refused rateLimitedLog
	mu      sync.Mutex
	crowd   crowd
}

// NewHTTP wraps a listening socket. What goes wrong is logged, once a minute.
func NewHTTP(l net.Listener, log *slog.Logger) *HTTP {
	return &HTTP{retryListener: newRetryListener(l, log), crowd: crowd{from: make(map[netip.Addr]int)}}
}

// Accept closes connections that are too many.
func (l *HTTP) Accept() (net.Conn, error) {
	for {
		c, err := l.retryListener.Accept()
		if err != nil {
			return nil, err
		}
		if l.admit(peerOf(c)) {
			return &httpConn{Conn: c, l: l}, nil
		}
		l.refused.warn(l.log, "connection refused: too many", "client", c.RemoteAddr().String(), "listener", l.Addr().String())
		c.Close()
	}
}

func (l *HTTP) admit(peer netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, own := l.crowd.full(peer)
	if all || own {
		return false
	}
	l.crowd.join(peer)
	return true
}

type httpConn struct {
	net.Conn
	l     *HTTP
	once  sync.Once
	lines atomic.Int32 // read since the last answer
}

var errLines = errors.New("HTTP request of more than " + strconv.Itoa(MaxLines) + " lines")

// Read ends a connection with too many lines: net/http bounds the bytes of a header, but needs up
// to a hundred bytes for each of it.
func (c *httpConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.lines.Add(int32(bytes.Count(p[:n], []byte("\n")))) <= MaxLines {
		return n, err
	}
	c.l.refused.warn(c.l.log, "connection ended", "error", errLines, "client", c.RemoteAddr().String(), "listener", c.l.Addr().String())
	return 0, errLines
}

func (c *httpConn) Write(p []byte) (int, error) {
	c.lines.Store(0)
	return c.Conn.Write(p)
}

func (c *httpConn) Close() error {
	c.once.Do(func() {
		c.l.mu.Lock()
		defer c.l.mu.Unlock()
		c.l.crowd.leave(peerOf(c))
	})
	return c.Conn.Close()
}
