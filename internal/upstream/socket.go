package upstream

import (
	"net"
	"os"
	"syscall"
)

// socket is a connection that can be read without waiting, also from above TLS: there,
// what has arrived may be no word of the server at all, but a session ticket.
type socket struct {
	net.Conn
	nowait bool
}

// errNothing is what a read that does not wait ends with. TLS takes it for a deadline,
// after which it can go on.
var errNothing = os.ErrDeadlineExceeded

func (s *socket) Read(p []byte) (int, error) {
	if s.nowait && !s.readable() {
		return 0, errNothing
	}
	return s.Conn.Read(p)
}

// readable reports whether a read would return at once, be it with an error.
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
		there = err != syscall.EAGAIN // there is also the end
		return true
	})
	return err != nil || there
}
