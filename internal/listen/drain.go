package listen

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// Limits of closing a socket.
const (
	queueQuiet = 20 * time.Millisecond // twice this time without a connection means that the queue is empty
	queueTime  = time.Second           // how long Close waits for the goroutine that accepts
)

// Close stops accepting. It returns when Accept has returned the connections that were made before: those that wait
// in the queue of a socket of our own would be reset. The queue of an inherited socket is for the next process.
func (l *retryListener) Close() error {
	l.closing.Do(func() {
		if s, ok := ownSocket(l.Listener); ok {
			l.draining.Store(true)
			s.refuse() // without it, a connection that is made while the socket is being closed may be reset
			s.SetDeadline(time.Now().Add(queueQuiet))
			l.waitUntilEnded()
		}
		close(l.closed)
		l.closeErr = l.Listener.Close()
		l.waitUntilEnded()
	})
	return l.closeErr
}

func (l *retryListener) waitUntilEnded() {
	select {
	case <-l.ended:
	case <-time.After(queueTime):
	}
}

// waitForNext sets the deadline for the next connection.
func (l *retryListener) waitForNext() {
	if s, ok := ownSocket(l.Listener); ok && l.draining.Load() {
		s.SetDeadline(time.Now().Add(queueQuiet))
	}
}

// isOver reports whether an error means that there are no more connections. A deadline that was over before Accept
// looked into the queue says nothing, so it takes two in a row. Some systems return EINVAL for an empty queue.
func (l *retryListener) isOver(err, before error) bool {
	late := errors.Is(err, os.ErrDeadlineExceeded) && errors.Is(before, os.ErrDeadlineExceeded)
	return l.isClosed() || l.draining.Load() && (late || errors.Is(err, syscall.EINVAL))
}

// own is a socket that this process has opened, so that no other process accepts its connections.
type own interface {
	refuse() // makes the kernel refuse new connections; those in the queue stay
	SetDeadline(t time.Time) error
}

func ownSocket(l net.Listener) (own, bool) {
	if a, ok := l.(*allowed); ok {
		l = a.Listener
	}
	s, ok := l.(own)
	return s, ok
}

// refuse shuts the socket down for reading. Linux then refuses new connections, but not those in the queue
// (net/unix/af_unix.c).
func (l *unixListener) refuse() {
	control(l.UnixListener, func(fd int) { syscall.Shutdown(fd, syscall.SHUT_RD) })
}

// tcpListener is a TCP socket that this process has opened.
type tcpListener struct{ *net.TCPListener }

func (l tcpListener) refuse() { control(l.TCPListener, refuseTCP) }

func control(c syscall.Conn, f func(fd int)) {
	if raw, err := c.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}
