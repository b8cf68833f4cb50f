package listen

import (
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
)

// What has left is not remembered, or peers that come and go would fill the memory.
func TestCrowdForgets(t *testing.T) {
	c := crowd{from: make(map[netip.Addr]int)}
	peer := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 200)}) }
	for i := range MaxConns {
		if all, own := c.full(peer(i)); all || own {
			t.Fatalf("full with %d", i)
		}
		c.join(peer(i))
	}
	if all, own := c.full(peer(0)); !all || own {
		t.Errorf("full with %d: %v, of one peer %v", MaxConns, all, own)
	}
	for i := range MaxConns {
		c.leave(peer(i))
	}
	if c.all != 0 || len(c.from) != 0 {
		t.Errorf("%d connections, %d peers are left", c.all, len(c.from))
	}
}

// net/http may close a connection twice.
func TestHTTPCountsConnectionsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipeListener()
		l := NewHTTP(inner, slog.New(slog.DiscardHandler))
		for _, peer := range []string{"192.0.2.1:1", "192.0.2.2:1"} {
			go func() { inner.dial(peer) }()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if peer == "192.0.2.1:1" {
				c.Close()
				c.Close()
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.crowd.all != 1 || len(l.crowd.from) != 1 {
			t.Errorf("%d connections of %d peers", l.crowd.all, len(l.crowd.from))
		}
	})
}
