package upstream

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// multiServer is a mail server for many clients, with a script for each.
type multiServer struct {
	addr    netip.AddrPort
	clients atomic.Int32 // so far
	open    atomic.Int32
}

// newMultiServer starts a server on loopback. It calls script for the n-th client, from 1. The test
// fails if a script is not played to its end, or a connection outlives the test.
func newMultiServer(t testing.TB, script func(n int) []step) *multiServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &multiServer{addr: netip.MustParseAddrPort(l.Addr().String())}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			steps := script(int(f.clients.Add(1)))
			f.open.Add(1)
			running.Go(func() {
				defer f.open.Add(-1)
				if err := play(nc, steps); err != nil {
					t.Errorf("mail server: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return f
}

// goodLogin returns the script of a good login by a route, for any client.
func goodLogin(route string) func(int) []step {
	turns := dialogue[route]
	last := turns[len(turns)-1]
	return func(int) []step { return mayLeave(script(route, last.stage, say(last.says))) }
}

// mayLeave returns a script whose client may close the connection at any time.
func mayLeave(steps []step) []step {
	return []step{func(s *session) error { _ = run(s, steps); return nil }}
}

func run(s *session, steps []step) error {
	for _, do := range steps {
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}

// server returns the settings for a login by a route.
func (f *multiServer) server(route string) Server {
	s := serverOn(route, longTimeout)
	s.Addr = f.addr
	return s
}

// until waits until done returns true.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(longTimeout); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("timeout: waited until " + what)
		}
	}
}

// kept returns the number of warm connections.
func (p *Pool) kept() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.idle {
		n += len(l.conns)
	}
	return n
}

func (p *Pool) queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting
}

// connCounter counts a client's connections, from before they are opened until they are closed.
type connCounter struct{ now, peak, opened atomic.Int32 }

func (n *connCounter) open(s Server, ctx context.Context) (*Conn, error) {
	n.opened.Add(1)
	for now := n.now.Add(1); ; {
		if peak := n.peak.Load(); now <= peak || n.peak.CompareAndSwap(peak, now) {
			break
		}
	}
	c, err := s.Open(ctx)
	if err != nil {
		n.now.Add(-1)
		return nil, err
	}
	c.raw.Conn = &counted{TCPConn: c.raw.Conn.(*net.TCPConn), closed: sync.OnceFunc(func() { n.now.Add(-1) })}
	return c, nil
}

type counted struct {
	*net.TCPConn
	closed func()
}

func (c *counted) Close() error {
	defer c.closed()
	return c.TCPConn.Close()
}
