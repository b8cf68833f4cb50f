package route

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// clinic is where servers are checked: how each one answers, and who was asked.
type clinic struct {
	mu     sync.Mutex
	answer map[string]func(ctx context.Context) error
	asked  map[string]int
}

func newClinic() *clinic {
	return &clinic{answer: make(map[string]func(context.Context) error), asked: make(map[string]int)}
}

func (c *clinic) probe(ctx context.Context, s *Server, _ string) error {
	c.mu.Lock()
	c.asked[s.Name]++
	answer := c.answer[s.Name]
	c.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(ctx)
}

func (c *clinic) set(server string, answer func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer[server] = answer
}

// visits are the questions to a server since the last time.
func (c *clinic) visits(server string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer delete(c.asked, server)
	return c.asked[server]
}

func refuse(context.Context) error { return errRefused }

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// check lets checks run until the end of the test; it returns what ends them.
func check(t *testing.T, h *Health, probe ProbeFunc) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		h.Check(ctx, probe)
		close(done)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

const interval = 30 * time.Second

func TestCheckAsksAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := stores("abc")
		servers[0].CheckInterval = interval
		servers[1].CheckInterval = 3 * interval
		c := newClinic()
		check(t, NewHealth(servers, nil, nil), c.probe)
		for range 3 {
			<-time.After(30 * interval)
			synctest.Wait()
			for name, want := range map[string]int{"a": 30, "b": 10, "c": 0} {
				if n := c.visits(name); n != want {
					t.Errorf("server %s was checked %d times, want %d", name, n, want)
				}
			}
		}
	})
}

// What we have run out of is not the server's fault.
func TestStarvedCheckTellsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := stores("a")
		servers[0].CheckInterval = interval
		h := NewHealth(servers, nil, nil)
		c := newClinic()
		c.set("a", func(context.Context) error {
			return &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
		})
		check(t, h, c.probe)
		<-time.After(10 * MaxFails * interval)
		synctest.Wait()
		if s := h.Of(servers[0], "imap").State(); s != Closed || c.visits("a") < MaxFails {
			t.Errorf("the server is %v", s)
		}
	})
}

// However the server fails, it is set aside; when it answers again, it is put back.
func TestCheckTellsTheBreaker(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(context.Context) error
		err    string
	}{
		{"refused", refuse, "check: connection refused"},
		{"hangs", hang, "check: context deadline exceeded"},
		{"panics", func(context.Context) error { panic("what the server said") }, "check: panic (string)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reasons := make(chan error, 1) // the first one
				servers := stores("a")
				servers[0].CheckInterval = interval
				h := NewHealth(servers, nil, func(c Change) {
					select {
					case reasons <- c.Err:
					default:
					}
				})
				c := newClinic()
				c.set("a", tt.answer)
				check(t, h, c.probe)
				<-time.After((MaxFails + 1) * (interval + CheckTimeout))
				synctest.Wait()
				if h.Of(servers[0], "imap").State() == Closed {
					t.Fatal("the server is not set aside")
				}
				if err := <-reasons; err == nil || err.Error() != tt.err {
					t.Errorf("the reason is %v, want %s", err, tt.err)
				}
				c.set("a", nil)
				<-time.After(MaxBackoff + interval + CheckTimeout)
				synctest.Wait()
				if s := h.Of(servers[0], "imap").State(); s != Closed {
					t.Errorf("the server answers again, and is %v", s)
				}
			})
		})
	}
}

// A server that is set aside is checked as before, and is back when it answers, whatever the
// back-off of the logins.
func TestCheckWhileSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := stores("a")
		servers[0].CheckInterval = time.Second
		h := NewHealth(servers, nil, nil)
		c := newClinic()
		c.set("a", refuse)
		check(t, h, c.probe)
		<-time.After(10 * time.Minute)
		synctest.Wait()
		c.visits("a")
		<-time.After(time.Hour)
		synctest.Wait()
		if n := c.visits("a"); n < 3599 || n > 3601 {
			t.Errorf("%d checks in an hour, want one in a second", n)
		}
		if _, ok := h.Of(servers[0], "imap").Allow(); !ok {
			t.Error("checks keep the logins' trial from its turn")
		}
		c.set("a", nil)
		<-time.After(time.Second)
		synctest.Wait()
		if s := h.Of(servers[0], "imap").State(); s != Closed {
			t.Errorf("the server answers, and is %v", s)
		}
	})
}

// Checks end with their context, those under way too, and blame nobody for it.
func TestCheckEnds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wait  time.Duration
		under int32 // way by then
	}{
		{"before the first", 0, 0},
		{"during one each", CheckTimeout / 2, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers := stores("ab")
				for _, s := range servers {
					s.CheckInterval = CheckTimeout / 2
				}
				h := NewHealth(servers, nil, nil)
				for _, s := range servers { // one more failure would set them aside
					for range MaxFails - 1 {
						ticket, _ := h.Of(s, "imap").Allow()
						ticket.Failed(errRefused)
					}
				}
				var running atomic.Int32
				stop := check(t, h, func(ctx context.Context, s *Server, _ string) error {
					running.Add(1)
					defer running.Add(-1)
					select {
					case <-ctx.Done():
						<-time.After(time.Second) // to close what is open
						return errors.Join(errRefused, ctx.Err())
					case <-time.After(time.Hour):
						return nil
					}
				})
				<-time.After(tt.wait)
				synctest.Wait()
				under, asked := running.Load(), time.Now()
				stop()
				if late := time.Since(asked); under != tt.under || running.Load() != 0 || late > time.Second {
					t.Errorf("of %d probes, want %d, Check left %d after %v", under, tt.under, running.Load(), late)
				}
				for _, s := range servers {
					if state := h.Of(s, "imap").State(); state != Closed {
						t.Errorf("server %s is %v", s.Name, state)
					}
				}
			})
		})
	}
}

func TestCheckWithoutServers(t *testing.T) {
	NewHealth(stores("ab"), nil, nil).Check(t.Context(), newClinic().probe) // returns at once
}
