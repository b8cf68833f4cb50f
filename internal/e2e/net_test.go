package e2e

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"
)

// readyTimeout is how long a program may take until it accepts connections.
const readyTimeout = 20 * time.Second

func loopback(port int) string {
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func splitAddress(tb testing.TB, address string) (host, port string) {
	tb.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		tb.Fatal(err)
	}
	return host, port
}

// waitReady returns when every address accepts connections. An address that starts with a slash is a
// unix socket. It fails the test if the program ends before.
func waitReady(tb testing.TB, p *process, addresses ...string) {
	tb.Helper()
	for _, address := range addresses {
		accepts := func() bool { return accepts(address) }
		if !poll(readyTimeout, p.done, accepts) {
			tb.Fatalf("%s: does not listen on %s", p.name, address)
		}
	}
}

func accepts(address string) bool {
	network := "tcp"
	if address[0] == '/' {
		network = "unix"
	}
	conn, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// poll calls ok until it returns true, for at most d, or until stop is closed. stop may be nil. poll reports
// whether ok has returned true.
func poll(d time.Duration, stop <-chan struct{}, ok func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ticker.C:
		case <-stop:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}
