package listen

import (
	"log/slog"
	"net"
	"syscall"
	"testing"
)

// TestTCPWithoutKeepAlive reads SO_KEEPALIVE of a connection that was accepted.
func TestTCPWithoutKeepAlive(t *testing.T) {
	l, err := Open(Address{"tcp", "127.0.0.1:0"}, Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var on int
	var errOption error
	err = raw.Control(func(fd uintptr) {
		on, errOption = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
	})
	if err != nil || errOption != nil {
		t.Fatal(err, errOption)
	}
	if on != 0 {
		t.Errorf("SO_KEEPALIVE is %d, want 0", on)
	}
}
