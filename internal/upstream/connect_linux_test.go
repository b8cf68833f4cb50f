package upstream

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// TestConnectTimeout checks that a login at a server that does not accept connections takes
// ConnectTimeout, not Timeout.
func TestConnectTimeout(t *testing.T) {
	addr := fullListener(t)
	s := Server{Protocol: "imap", Addr: addr, ConnectTimeout: shortTimeout, Timeout: time.Hour}
	start := time.Now()
	_, err := s.Login(t.Context(), user, password)
	var timeout net.Error
	if outcomeOf(err) != tempfail || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("error %v, want a timeout", err)
	}
	if took := time.Since(start); took > longTimeout {
		t.Errorf("took %v", took)
	}
}

// fullListener returns a listener that never accepts and whose queue is full. Linux drops further
// connections.
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
		nc, err := net.DialTimeout("tcp", l.Addr().String(), shortTimeout)
		if err != nil {
			return netip.MustParseAddrPort(l.Addr().String())
		}
		t.Cleanup(func() { nc.Close() })
	}
	t.Skip("the queue of a listener cannot be filled here")
	return netip.AddrPort{}
}
