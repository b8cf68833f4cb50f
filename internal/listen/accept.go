package listen

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of the pause after a failed accept, as in net/http.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// retryListener is a listener that retries when accepting fails, such as without file descriptors. One goroutine
// calls Accept.
type retryListener struct {
	net.Listener
	log    *slog.Logger
	warned rateLimitedLog

	away     atomic.Int64  // when Accept returned a connection, in Unix nanoseconds; 0 while Accept is called
	draining atomic.Bool   // only the connections in the socket's queue are still accepted
	closed   chan struct{} // closed by Close
	ended    chan struct{} // closed when Accept has returned an error
	closing  sync.Once
	ending   sync.Once
	closeErr error
}

func newRetryListener(l net.Listener, log *slog.Logger) *retryListener {
	return &retryListener{Listener: l, log: log, closed: make(chan struct{}), ended: make(chan struct{})}
}

// Accept returns an error only when the listener is closed.
func (l *retryListener) Accept() (net.Conn, error) {
	l.away.Store(0)
	var before error
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		c, err := l.Listener.Accept()
		l.waitForNext()
		switch {
		case err == nil:
			l.away.Store(time.Now().UnixNano())
			return c, nil
		case l.isOver(err, before):
			l.ending.Do(func() { close(l.ended) })
			return nil, net.ErrClosed
		}
		if before = err; errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		l.warned.warn(l.log, "cannot accept", "listener", l.Addr().String(), "error", err)
		select {
		case <-l.closed:
		case <-time.After(pause):
		}
	}
}

// Stuck reports whether the goroutine that accepts has not come back for a time.
func (l *retryListener) Stuck(limit time.Duration) bool {
	away := l.away.Load()
	return away != 0 && time.Since(time.Unix(0, away)) > limit
}

// isClosed reports whether Close has closed the socket.
func (l *retryListener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// rateLimitedLog warns at most once a minute.
type rateLimitedLog struct {
	mu   sync.Mutex
	last time.Time
}

func (s *rateLimitedLog) warn(log *slog.Logger, message string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.last) >= time.Minute {
		s.last = now
		log.Warn(message, args...)
	}
}

// peerOf returns the address of a TCP peer, or the zero Addr for other connections.
func peerOf(c net.Conn) netip.Addr {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// networkOf returns the address of a TCP peer as a network, or the zero Prefix for other
// connections.
func networkOf(c net.Conn) netip.Prefix {
	peer := peerOf(c)
	return netip.PrefixFrom(peer, peer.BitLen())
}
