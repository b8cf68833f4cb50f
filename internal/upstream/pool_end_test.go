package upstream

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestPoolDefaults(t *testing.T) {
	if p := NewPool(0, 0, 0); cap(p.slots) != MaxConnections || p.ttl != WarmTTL {
		t.Errorf("%d slots, ttl %v", cap(p.slots), p.ttl)
	}
}

// TestPoolCloseEndsOpening checks that Close does not wait for servers that hang.
func TestPoolCloseEndsOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &pipes{}
		p := NewPool(4, 2, time.Hour)
		p.open = func(s Server, ctx context.Context) (*Conn, error) {
			if _, wanted := ctx.Deadline(); !wanted {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return o.Open(s, ctx)
		}
		if _, err := p.Login(t.Context(), oneSlotServer, user, password); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		p.Close() // or the test deadlocks
		if len(p.slots) != 0 {
			t.Errorf("%d slots are taken", len(p.slots))
		}
	})
}

// TestPoolAfterARefusal checks that the pool is refilled after a wrong password, because the server
// has answered.
func TestPoolAfterARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(4, 2, time.Hour)
		defer p.Close()
		p.open = func(s Server, _ context.Context) (*Conn, error) {
			client, server := net.Pipe()
			turns := dialogue[s.Protocol]
			challenge, last := turns[len(turns)-2], turns[len(turns)-1]
			go func() {
				defer server.Close()
				s := &session{Conn: server, r: bufio.NewReader(server)}
				_ = run(s, []step{hear(challenge.hears), say(challenge.says), hear(last.hears), say("-ERR no\r\n")})
			}()
			c := newConn(s, client)
			c.mechanisms, c.awaitsCommand = []*mechanism{named(cramMD5)}, true
			return c, nil
		}
		if _, err := p.Login(t.Context(), oneSlotServer, user, password); !errors.Is(err, ErrRejected) {
			t.Error(err)
		}
		synctest.Wait()
		if n := p.kept(); n != 2 {
			t.Errorf("%d connections are kept, want 2", n)
		}
	})
}

// TestPoolEvictsTheOldest checks that a login without a slot gets that of the warm connection that
// would expire first.
func TestPoolEvictsTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &pipes{}
		p := NewPool(3, 1, time.Hour)
		defer p.Close()
		p.open = o.Open
		at := func(address string) Server {
			s := oneSlotServer
			s.Addr = netip.MustParseAddrPort(address)
			return s
		}
		all := []Server{at("192.0.2.1:110"), at("192.0.2.2:110"), at("192.0.2.3:110"), at("192.0.2.4:110")}
		for _, s := range all {
			if _, err := p.Login(t.Context(), s, user, password); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		p.mu.Lock()
		for i, s := range all {
			if n := len(p.idle[keyOf(s)].conns); n != min(i, 1) {
				t.Errorf("%d warm connections to server %d", n, i)
			}
		}
		p.mu.Unlock()
	})
}
