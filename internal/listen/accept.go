package listen

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Limits of the pause after a failed accept, as in net/http.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// retryListener is a listener that retries when accepting fails, such as without file descriptors.
type retryListener struct {
	net.Listener
	log    *slog.Logger
	warned rateLimitedLog
	done   chan struct{}
	once   sync.Once
}

func newRetryListener(l net.Listener, log *slog.Logger) *retryListener {
	return &retryListener{Listener: l, log: log, done: make(chan struct{})}
}

// Accept returns an error only when the listener is closed.
func (l *retryListener) Accept() (net.Conn, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		c, err := l.Listener.Accept()
		if err == nil {
			return c, nil
		}
		select {
		case <-l.done:
			return nil, net.ErrClosed
		default:
		}
		l.warned.warn(l.log, "cannot accept", "listener", l.Addr().String(), "error", err)
		select {
		case <-l.done:
			return nil, net.ErrClosed
		case <-time.After(pause):
		}
	}
}

func (l *retryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
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
