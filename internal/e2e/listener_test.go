package e2e

import (
	"net"
	"testing"

	"mailauthd/internal/testport"
)

// listener is where a server of the test itself accepts connections.
type listener struct {
	net.Listener
	port int
}

// serve accepts connections until the test ends or the listener is closed. It calls handle for each one, in a goroutine.
func serve(tb testing.TB, handle func(net.Conn)) listener {
	tb.Helper()
	port := testport.Free(tb)
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go handle(c)
		}
	}()
	return listener{l, port}
}
