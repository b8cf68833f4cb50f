package listen

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

// The figures have what was accepted, what is open, and what was refused.
func TestStats(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	nobody := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	restricted := restrict(socket, nobody, log)
	l := NewHTTP(restricted, log)
	t.Cleanup(func() { l.Close() })
	accepted := make(chan net.Conn)
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			accepted <- c
		}
	}()
	dial := func() {
		c, err := net.Dial("tcp", socket.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	dial()
	for deadline := time.Now().Add(10 * time.Second); l.Stats().Refused == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the client was not refused")
		}
	}
	if err := Apply(restricted, Options{}); err != nil {
		t.Fatal(err)
	}
	dial()
	c := <-accepted
	if got := l.Stats(); got != (Stats{Conns: 1, Accepted: 2, Refused: 1}) {
		t.Errorf("%+v", got)
	}
	c.Close()
	if got := l.Stats(); got != (Stats{Conns: 0, Accepted: 2, Refused: 1}) {
		t.Errorf("after the end: %+v", got)
	}
}
