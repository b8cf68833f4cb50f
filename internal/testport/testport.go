// Package testport finds TCP ports for tests that start servers.
//
// A test often has to name a port before it starts the server that listens there. Meanwhile another process may
// take the port. Test processes that use this package never get the same port, even if they run at the same time.
// Each process reserves a range of ports: it listens on the first port of the range until it ends, and returns only
// the others. All ports are below those that Linux gives to outgoing connections.
package testport

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
)

// The ranges of ports. Linux takes ports for outgoing connections from 32768 on.
const (
	lowest    = 12000
	highest   = 32000
	rangeSize = 100
)

// Free returns a TCP port of 127.0.0.1 on which nothing listens. It returns each port once.
func Free(tb testing.TB) int {
	tb.Helper()
	port, err := ports.free()
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

// ports are those of this process.
var ports = &pool{unseen: lowest}

// pool hands out ports of ranges that no other pool has, in any process.
type pool struct {
	mu        sync.Mutex
	unseen    int            // the first port of the next range
	next, end int            // what is left of the last range
	held      []net.Listener // each on the first port of a range; they are never closed
}

var errNone = errors.New("no free port")

func (p *pool) free() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for p.next >= p.end {
			if err := p.hold(); err != nil {
				return 0, err
			}
		}
		port := p.next
		p.next++
		if l, err := listen(port); err == nil { // other programs listen too
			return port, l.Close()
		}
	}
}

// hold tries to take the next range.
func (p *pool) hold() error {
	first := p.unseen
	if first >= highest {
		return errNone
	}
	p.unseen += rangeSize
	if l, err := listen(first); err == nil {
		p.held = append(p.held, l)
		p.next, p.end = first+1, first+rangeSize
	}
	return nil
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}
