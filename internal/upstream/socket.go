package upstream

import (
	"net"
	"os"
	"syscall"
)

// socket is a connection that can be read without blocking. TLS is read through it, too: bytes
// that have arrived may be a session ticket, and no data of the server.
type socket struct {
	net.Conn
	nowait bool
}

// errNothing is the error of a read that would block. crypto/tls treats it as a timeout, after
// which reading can go on.
var errNothing = os.ErrDeadlineExceeded

func (s *socket) Read(p []byte) (int, error) {
	if s.nowait && !s.readable() {
		return 0, errNothing
	}
	return s.Conn.Read(p)
}

// readable reports whether a read would return at once, perhaps with an error.
func (s *socket) readable() bool {
	sc, ok := s.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	var there bool
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		err := error(syscall.EINTR)
		for err == syscall.EINTR {
			_, _, err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		}
		there = err != syscall.EAGAIN // an end or an error is readable
		return true
	})
	return err != nil || there
}
