package upstream

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
)

// TestPoolLimit checks many logins at the same time, with few connections.
func TestPoolLimit(t *testing.T) {
	for _, warm := range []int{0, 2} {
		before := runtime.NumGoroutine()
		t.Run("", func(t *testing.T) {
			f := newMultiServer(t, goodLogin("smtp"))
			p := NewPool(7, warm, 0)
			var n connCounter
			p.open = n.open
			var logins sync.WaitGroup
			for range 10 { // of which three wait
				logins.Go(func() {
					for range 25 {
						if _, err := p.Login(t.Context(), f.server("smtp"), user, password); err != nil {
							t.Error(err)
						}
					}
				})
			}
			logins.Wait()
			p.Close()
			if peak := n.peak.Load(); peak > 7 || peak < 2 {
				t.Errorf("%d connections at a time, want up to 7", peak)
			}
			if len(p.slots) != 0 || p.queued() != 0 || n.now.Load() != 0 {
				t.Errorf("%d slots taken, %d logins waiting, %d connections open after all", len(p.slots), p.queued(), n.now.Load())
			}
			until(t, "all connections are closed", func() bool { return f.open.Load() == 0 })
		})
		waitForGoroutines(t, before)
	}
}

// TestPoolBusy checks that waiting for a slot ends with the deadline, and that the error does not
// blame the server.
func TestPoolBusy(t *testing.T) {
	release := make(chan struct{})
	f := newMultiServer(t, func(n int) []step {
		return append([]step{func(*session) error { <-release; return nil }}, goodLogin("pop3")(n)...)
	})
	p := NewPool(1, 1, 0)
	defer p.Close()
	first := make(chan error)
	go func() {
		_, err := p.Login(t.Context(), f.server("pop3"), user, password)
		first <- err
	}()
	until(t, "the slot is taken", func() bool { return len(p.slots) == 1 })

	s := f.server("pop3")
	s.Timeout = shortTimeout
	if _, err := p.Login(t.Context(), s, user, password); !errors.Is(err, ErrBusy) || !notInTime(err) || errors.Is(err, ErrRejected) || Unreachable(err) {
		t.Errorf("error %v, unreachable %t, want ErrBusy by the deadline", err, Unreachable(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		until(t, "a login waits", func() bool { return p.queued() == 1 })
		cancel()
	}()
	if _, err := p.Login(ctx, f.server("pop3"), user, password); !errors.Is(err, ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want ErrBusy and the context's", err)
	}
	next := make(chan error)
	go func() {
		_, err := p.Login(t.Context(), f.server("pop3"), user, password)
		next <- err
	}()
	until(t, "a login waits", func() bool { return p.queued() == 1 })
	close(release)
	if err := errors.Join(<-first, <-next); err != nil {
		t.Error(err)
	}
}

// TestPoolSilent checks that the error of a server that does not answer is not ErrBusy, and that
// the slot is free after that.
func TestPoolSilent(t *testing.T) {
	f := newMultiServer(t, func(int) []step { return nil })
	p := NewPool(1, 0, 0)
	s := f.server("imap")
	s.Timeout = shortTimeout
	for range 2 {
		if _, err := p.Login(t.Context(), s, user, password); errors.Is(err, ErrBusy) || !notInTime(err) || !Unreachable(err) {
			t.Errorf("%v, unreachable %t, want a timeout", err, Unreachable(err))
		}
		if len(p.slots) != 0 {
			t.Error("a slot was kept")
		}
	}
}

// TestPoolPanic checks that a panic and a cancelled login release their slot.
func TestPoolPanic(t *testing.T) {
	f := newMultiServer(t, goodLogin("imap"))
	p := NewPool(1, 0, 0)
	s := f.server("imap")
	s.Trace = func(string) { panic("test") }
	func() {
		defer func() { _ = recover() }()
		_, _ = p.Login(t.Context(), s, user, password)
		t.Error("no panic")
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Login(ctx, f.server("imap"), user, password); !errors.Is(err, context.Canceled) || errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want the context's", err)
	}
	if _, err := p.Login(t.Context(), f.server("imap"), user, password); err != nil {
		t.Error(err)
	}
}

// TestPoolWarm checks for every route that the second login uses a warm connection, and that a
// login with a trace or other settings does not.
func TestPoolWarm(t *testing.T) {
	for route := range dialogue {
		t.Run(route, func(t *testing.T) {
			before := runtime.NumGoroutine()
			t.Run("", func(t *testing.T) {
				f := newMultiServer(t, goodLogin(route))
				p := NewPool(10, 2, 0)
				login := func(s Server, clients int32, kept int) {
					t.Helper()
					if _, err := p.Login(t.Context(), s, user, password); err != nil {
						t.Error(err)
					}
					until(t, "the pool is refilled", func() bool { return p.kept() == kept && len(p.slots) == kept })
					until(t, "the server has seen it", func() bool { return f.open.Load() == int32(kept) })
					if n := f.clients.Load(); n != clients {
						t.Errorf("%d connections so far, want %d", n, clients)
					}
				}
				s := f.server(route)
				login(s, 3, 2)
				login(s, 4, 2) // a warm one, and its replacement
				traced := 0
				s.Trace = func(string) { traced++ }
				login(s, 5, 2)
				if traced < 4 {
					t.Errorf("%d lines traced, want all of the dialogue", traced)
				}
				s.Trace, s.Mechanisms = nil, []string{"CRAM-MD5", "PLAIN"}
				login(s, 8, 4)
				p.Close()
				p.Close()
				until(t, "all connections are closed", func() bool { return f.open.Load() == 0 })
				login(f.server(route), 9, 0)
			})
			waitForGoroutines(t, before)
		})
	}
}

// TestPoolGivesWay checks that no login waits for warm connections, or for those being opened.
func TestPoolGivesWay(t *testing.T) {
	silent := newMultiServer(t, func(n int) []step {
		if n == 1 {
			return goodLogin("imap")(n)
		}
		return nil // waits until the client closes the connection
	})
	f := newMultiServer(t, goodLogin("pop3"))
	p := NewPool(2, 2, 0)
	defer p.Close()
	login := func(s Server) {
		t.Helper()
		if _, err := p.Login(t.Context(), s, user, password); err != nil {
			t.Error(err)
		}
	}
	login(silent.server("imap"))
	until(t, "two are being opened", func() bool { return silent.clients.Load() == 3 })
	login(f.server("pop3"))
	until(t, "there are slots again", func() bool { return len(p.slots) == p.kept() })
	login(f.server("pop3"))
	until(t, "two are kept", func() bool { return p.kept() == 2 })
	other := f.server("pop3")
	other.Mechanisms = []string{"CRAM-MD5"}
	login(other)
	until(t, "two are kept again", func() bool { return p.kept() == 2 && len(p.slots) == 2 })
}

// TestPoolDead checks that a warm connection is replaced if the server has closed it before the
// login, or closes it at the first command.
func TestPoolDead(t *testing.T) {
	for name, last := range map[string][]step{
		"closed": {hangUp}, "reset": {reset}, "BYE": {say("* BYE later\r\n"), hangUp},
		"as it comes": {hear("001 AUTHENTICATE CRAM-MD5"), hangUp},
	} {
		t.Run(name, func(t *testing.T) {
			kept := make(chan struct{})
			f := newMultiServer(t, func(n int) []step {
				if n == 2 {
					return append([]step{say("* OK ready\r\n"), func(*session) error { <-kept; return nil }}, last...)
				}
				return goodLogin("imap")(n)
			})
			p := NewPool(10, 1, 0)
			defer p.Close()
			login := func() {
				t.Helper()
				if _, err := p.Login(t.Context(), f.server("imap"), user, password); err != nil {
					t.Error(err)
				}
				until(t, "one is kept", func() bool { return p.kept() == 1 })
			}
			login()
			close(kept)
			if name != "as it comes" {
				c := p.idle[keyOf(f.server("imap"))].conns[0]
				until(t, "the server is gone", func() bool { return !c.Usable() })
			}
			login()
			login()
			if n := f.clients.Load(); n != 5 { // one each for the first two logins, and three kept
				t.Errorf("%d connections, want 5", n)
			}
			p.Close()
			if len(p.slots) != 0 {
				t.Errorf("%d slots are taken", len(p.slots))
			}
		})
	}
}

// TestPoolAnswered checks that a login is not repeated if the server has sent anything on the warm
// connection.
func TestPoolAnswered(t *testing.T) {
	for says, want := range map[string]outcome{"-ERR no": reject, "-ERR [SYS/TEMP] later": tempfail, "what?": tempfail} {
		f := newMultiServer(t, func(n int) []step {
			if n == 2 {
				return script("pop3", "answer", say(says+"\r\n"))
			}
			return goodLogin("pop3")(n)
		})
		p := NewPool(10, 1, 0)
		_, err := p.Login(t.Context(), f.server("pop3"), user, password)
		until(t, "one is kept", func() bool { return p.kept() == 1 })
		if err != nil {
			t.Error(err)
		}
		var n connCounter
		p.open = n.open
		if _, err := p.Login(t.Context(), f.server("pop3"), user, password); outcomeOf(err) != want {
			t.Errorf("%q: %v, want %s", says, err, want)
		}
		p.Close()
		if opened := n.opened.Load(); opened > 1 || want == tempfail && opened != 0 { // one to replace it
			t.Errorf("%q: %d more connections", says, opened)
		}
	}
}

// TestPoolWaiting checks that logins without a slot wait, and that no connection is opened in
// advance meanwhile.
func TestPoolWaiting(t *testing.T) {
	release := make(chan struct{})
	f := newMultiServer(t, func(n int) []step {
		return append([]step{func(*session) error { <-release; return nil }}, goodLogin("imap")(n)...)
	})
	p := NewPool(2, 1, 0)
	defer p.Close()
	var logins sync.WaitGroup
	for range 7 {
		logins.Go(func() {
			if _, err := p.Login(t.Context(), f.server("imap"), user, password); err != nil {
				t.Error(err)
			}
		})
	}
	until(t, "all but two logins wait", func() bool { return p.queued() == 5 })
	if n := f.clients.Load(); n > 2 {
		t.Errorf("%d connections, want 2", n)
	}
	close(release)
	logins.Wait()
	until(t, "one is kept", func() bool { return p.kept() == 1 && len(p.slots) == 1 })
}
