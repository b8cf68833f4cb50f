package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes opens connections to a server within the process, so that synctest can advance the time.
// Settings and TLS are ignored.
type pipes struct {
	opened, open atomic.Int32
	broken       atomic.Bool // no connection can be opened
	unwilling    atomic.Bool // none can be opened in advance
}

func (o *pipes) Open(s Server, ctx context.Context) (*Conn, error) {
	o.opened.Add(1)
	if _, wanted := ctx.Deadline(); o.broken.Load() || o.unwilling.Load() && !wanted {
		return nil, errors.New("connect: refused")
	}
	o.open.Add(1)
	client, server := net.Pipe()
	turns := dialogue[s.Protocol]
	go func() {
		defer o.open.Add(-1)
		s := &session{Conn: server, r: bufio.NewReader(server)}
		for _, turn := range turns[len(turns)-2:] {
			_ = run(s, []step{hear(turn.hears), say(turn.says)})
		}
		_, _ = io.Copy(io.Discard, s.r)
		server.Close()
	}()
	c := newConn(s, client)
	c.mechanisms, c.awaitsCommand = []*mechanism{named(cramMD5)}, true
	return c, nil
}

// inTime runs a test of a pool of three warm connections with synctest. The function after advances
// the time, and checks how many connections were opened and are open then.
func inTime(t *testing.T, test func(p *Pool, o *pipes, login func(protocol, address string), after func(d time.Duration, opened, open int32))) {
	synctest.Test(t, func(t *testing.T) {
		o := &pipes{}
		p := NewPool(20, 3, time.Minute)
		p.open = o.Open
		login := func(protocol, address string) {
			t.Helper()
			s := Server{Protocol: protocol, Timeout: longTimeout}
			_ = s.Addr.UnmarshalText([]byte(address))
			if _, err := p.Login(t.Context(), s, user, password); (err != nil) != o.broken.Load() {
				t.Error(err)
			}
		}
		after := func(d time.Duration, opened, open int32) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := o.opened.Swap(0); got != opened || o.open.Load() != open {
				t.Errorf("after %v: %d opened, %d open, want %d and %d", d, got, o.open.Load(), opened, open)
			}
		}
		test(p, o, login, after)
		p.Close()
		after(0, 0, 0)
		after(time.Hour, 0, 0)
	})
}

// TestPoolTTL checks that expired warm connections are replaced as long as there are logins.
func TestPoolTTL(t *testing.T) {
	inTime(t, func(p *Pool, o *pipes, login func(string, string), after func(time.Duration, int32, int32)) {
		login("pop3", "192.0.2.1:110")
		after(0, 4, 3)
		after(59*time.Second, 0, 3)
		after(2*time.Second, 3, 3)
		after(demandFor-2*time.Minute, 9, 3)
		login("pop3", "192.0.2.1:110")
		after(0, 1, 3)
		after(time.Hour, 15, 0)
		login("pop3", "192.0.2.1:110")
		after(0, 4, 3)
	})
}

// TestPoolBackOff checks that the pauses get longer if a server refuses the connections that are
// opened in advance, but answers logins.
func TestPoolBackOff(t *testing.T) {
	inTime(t, func(p *Pool, o *pipes, login func(string, string), after func(time.Duration, int32, int32)) {
		login("pop3", "192.0.2.1:110")
		after(0, 4, 3)
		o.broken.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		o.opened.Store(0) // up to 3, which were to replace the old ones
		login("pop3", "192.0.2.1:110")
		after(time.Minute, 1, 0) // it failed, so nothing followed
		o.broken.Store(false)
		o.unwilling.Store(true)
		for _, delay := range []time.Duration{2, 4, 8, 16, 32, 60, 60} {
			login("pop3", "192.0.2.1:110")
			after(delay*time.Second-time.Millisecond, 4, 0)
			login("pop3", "192.0.2.1:110")
			after(time.Millisecond, 1, 0)
		}
		o.unwilling.Store(false)
		time.Sleep(maxOpenWait)
		login("pop3", "192.0.2.1:110")
		after(0, 4, 3)
	})
}

// TestPoolKeys checks the bound on keys with warm connections.
func TestPoolKeys(t *testing.T) {
	inTime(t, func(p *Pool, o *pipes, login func(string, string), after func(time.Duration, int32, int32)) {
		p.slots = make(chan struct{}, 1000)
		for i := range 2 * maxKeys {
			login("pop3", fmt.Sprintf("192.0.2.%d:110", i))
			after(time.Second/2, 4, 3*min(int32(i+1), maxKeys))
		}
		login("pop3", fmt.Sprintf("192.0.2.%d:110", maxKeys))
		after(0, 1, 3*maxKeys)
		login("pop3", "192.0.2.0:110")
		after(0, 4, 3*maxKeys)
	})
}
