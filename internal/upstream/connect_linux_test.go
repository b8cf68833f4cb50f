package upstream

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// TestConnectTimeout: a server that does not even accept connections costs the
// time to connect, not the time of a whole login.
func TestConnectTimeout(t *testing.T) {
	addr := fullListener(t)
	s := Server{Protocol: "imap", Addr: addr, ConnectTimeout: soon, Timeout: time.Hour}
	start := time.Now()
	_, err := s.Login(t.Context(), user, password)
	var timeout net.Error
	if outcomeOf(err) != tempfail || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("error %v, want a timeout", err)
	}
	if took := time.Since(start); took > patience {
		t.Errorf("took %v", took)
	}
}

// fullListener never accepts, and its queue is full: Linux drops what else comes.
func fullListener(t *testing.T) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) })
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		nc, err := net.DialTimeout("tcp", l.Addr().String(), soon)
		if err != nil {
			return netip.MustParseAddrPort(l.Addr().String())
		}
		t.Cleanup(func() { nc.Close() })
	}
	t.Skip("the queue of a listener cannot be filled here")
	return netip.AddrPort{}
}
