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

// fakeServers answers probes as a test wants, and counts them by server.
type fakeServers struct {
	mu     sync.Mutex
	answer map[string]func(ctx context.Context) error
	probed map[string]int
}

func newFakeServers() *fakeServers {
	return &fakeServers{answer: make(map[string]func(context.Context) error), probed: make(map[string]int)}
}

func (c *fakeServers) probe(ctx context.Context, s *Server, _ string) error {
	c.mu.Lock()
	c.probed[s.Name]++
	answer := c.answer[s.Name]
	c.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(ctx)
}

func (c *fakeServers) set(server string, answer func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer[server] = answer
}

// probes returns the number of probes of a server since the last call.
func (c *fakeServers) probes(server string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer delete(c.probed, server)
	return c.probed[server]
}

func refuse(context.Context) error { return errRefused }

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// check runs probes in the background until stop is called or the test ends.
func check(t *testing.T, h *Health, probe ProbeFunc) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		h.Run(ctx, probe)
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
		c := newFakeServers()
		check(t, NewHealth(servers, nil, nil), c.probe)
		for range 3 {
			<-time.After(30 * interval)
			synctest.Wait()
			for name, want := range map[string]int{"a": 30, "b": 10, "c": 0} {
				if n := c.probes(name); n != want {
					t.Errorf("server %s was checked %d times, want %d", name, n, want)
				}
			}
		}
	})
}

// A shortage on this machine is not the server's fault.
func TestStarvedCheckIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := stores("a")
		servers[0].CheckInterval = interval
		h := NewHealth(servers, nil, nil)
		c := newFakeServers()
		c.set("a", func(context.Context) error {
			return &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
		})
		check(t, h, c.probe)
		<-time.After(10 * MaxFails * interval)
		synctest.Wait()
		if s := h.Of(servers[0], "imap").State(); s != Closed || c.probes("a") < MaxFails {
			t.Errorf("the server is %v", s)
		}
	})
}

// A server is set aside whatever its failure is, and put back when it answers again.
func TestCheckReportsToTheBreaker(t *testing.T) {
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
				c := newFakeServers()
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

// A server that is set aside is probed as before, and is back when it answers. The back-off of
// the logins does not matter.
func TestCheckWhileSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := stores("a")
		servers[0].CheckInterval = time.Second
		h := NewHealth(servers, nil, nil)
		c := newFakeServers()
		c.set("a", refuse)
		check(t, h, c.probe)
		<-time.After(10 * time.Minute)
		synctest.Wait()
		c.probes("a")
		<-time.After(time.Hour)
		synctest.Wait()
		if n := c.probes("a"); n < 3599 || n > 3601 {
			t.Errorf("%d checks in an hour, want one in a second", n)
		}
		if _, ok := h.Of(servers[0], "imap").Allow(); !ok {
			t.Error("probes prevent the trial of a login")
		}
		c.set("a", nil)
		<-time.After(time.Second)
		synctest.Wait()
		if s := h.Of(servers[0], "imap").State(); s != Closed {
			t.Errorf("the server answers, and is %v", s)
		}
	})
}

// Probes end with their context, also those under way. No server is set aside for that.
func TestCheckEnds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wait  time.Duration
		under int32 // how many probes are under way then
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
					t.Errorf("%d probes were under way, want %d; %d remain %v after stop", under, tt.under, running.Load(), late)
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
	NewHealth(stores("ab"), nil, nil).Run(t.Context(), newFakeServers().probe) // returns at once
}
