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

// farm is a mail server for many clients, each of which gets a script of its own.
type farm struct {
	addr    netip.AddrPort
	clients atomic.Int32 // so far
	open    atomic.Int32
}

// newFarm starts a farm on loopback. The script is made for the n-th client, from 1. The test
// fails if one is not played to its end, or a connection outlives the test.
func newFarm(t testing.TB, script func(n int) []step) *farm {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &farm{addr: netip.MustParseAddrPort(l.Addr().String())}
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

// goodLogin is one by a route, from any client.
func goodLogin(route string) func(int) []step {
	turns := dialogue[route]
	last := turns[len(turns)-1]
	return func(int) []step { return orGone(script(route, last.stage, say(last.says))) }
}

// orGone makes of a script one whose client may leave at any time.
func orGone(steps []step) []step {
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

// server describes the farm.
func (f *farm) server(route string) Server {
	s := serverOn(route, patience)
	s.Addr = f.addr
	return s
}

// until waits for what the background does.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain until " + what)
		}
	}
}

// kept is the number of warm connections.
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

// census counts a client's connections, from before they are opened until they are closed.
type census struct{ now, peak, opened atomic.Int32 }

func (n *census) open(s Server, ctx context.Context) (*Conn, error) {
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
