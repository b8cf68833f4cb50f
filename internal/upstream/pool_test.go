package upstream

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// silent is a server that takes connections, and says nothing.
func silent(t *testing.T) Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return Server{Protocol: "imap", Addr: netip.MustParseAddrPort(l.Addr().String()), ConnectTimeout: time.Minute, Timeout: time.Minute}
}

// Of many logins no more than the pool lets are at the server; the others wait, and in vain
// if nobody leaves.
func TestPoolBoundsConnections(t *testing.T) {
	s := silent(t)
	p := NewPool(2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := p.Login(ctx, s, "user", "password"); err == nil || errors.Is(err, ErrBusy) || errors.Is(err, ErrRejected) {
				t.Errorf("at a silent server: %v", err)
			}
		})
	}
	for deadline := time.Now().Add(10 * time.Second); len(p.slots) < 2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	short := s
	short.Timeout = 20 * time.Millisecond
	if _, err := p.Login(ctx, short, "user", "password"); !errors.Is(err, ErrBusy) || Unreachable(err) {
		t.Errorf("one login too many: %v", err)
	}
	cancel()
	wg.Wait()
	if len(p.slots) != 0 {
		t.Errorf("%d slots are kept", len(p.slots))
	}
	if _, err := p.Login(t.Context(), short, "user", "password"); errors.Is(err, ErrBusy) || !Unreachable(err) {
		t.Errorf("with room again: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	closed := silent(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Addr = netip.MustParseAddrPort(l.Addr().String())
	l.Close()
	if _, err := closed.Login(t.Context(), "user", "password"); !Unreachable(err) {
		t.Errorf("refused connection: %v", err)
	}
	for _, err := range []error{ErrRejected, ErrBusy, errors.New("454 4.7.0 try later"), nil} {
		if Unreachable(err) {
			t.Errorf("%v is no answer", err)
		}
	}
}
