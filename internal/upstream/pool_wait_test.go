package upstream

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// withOneSlot runs a test of a pool that keeps its only connection warm. Opening a connection in
// advance ends when the test sends to opened, even if it was given up.
func withOneSlot(t *testing.T, test func(t *testing.T, p *Pool, o *pipes, opened chan<- struct{}, login func())) {
	synctest.Test(t, func(t *testing.T) {
		o := &pipes{}
		p := NewPool(1, 1, time.Hour)
		defer p.Close()
		opened := make(chan struct{})
		p.open = func(s Server, ctx context.Context) (*Conn, error) {
			c, err := o.Open(s, ctx)
			if _, wanted := ctx.Deadline(); !wanted {
				<-opened
			}
			return c, err
		}
		test(t, p, o, opened, func() {
			if _, err := p.Login(t.Context(), oneSlotServer, user, password); err != nil {
				t.Error(err)
			}
		})
	})
}

var oneSlotServer = Server{Protocol: "pop3", Timeout: time.Minute}

// TestPoolOpenedTooLate checks that a connection that was opened while a login waits is not kept.
func TestPoolOpenedTooLate(t *testing.T) {
	withOneSlot(t, func(t *testing.T, p *Pool, o *pipes, opened chan<- struct{}, login func()) {
		login()
		synctest.Wait()
		go login()
		synctest.Wait()
		if n := p.queued(); n != 1 {
			t.Errorf("%d logins wait for what is being opened, want 1", n)
		}
		opened <- struct{}{}
		synctest.Wait()
		if n := p.queued(); n != 0 {
			close(opened)
			t.Fatalf("%d logins wait for a warm connection", n)
		}
		opened <- struct{}{} // after the second login
		synctest.Wait()
		if n := p.kept(); n != 1 {
			t.Errorf("%d are kept, want 1", n)
		}
	})
}

// TestPoolOpensNothingMeanwhile checks that the end of a login opens nothing in advance while
// another is about to wait.
func TestPoolOpensNothingMeanwhile(t *testing.T) {
	withOneSlot(t, func(t *testing.T, p *Pool, o *pipes, opened chan<- struct{}, login func()) {
		login()
		opened <- struct{}{}
		synctest.Wait()
		c, err := p.enter(t.Context(), oneSlotServer) // the first login
		if c == nil || err != nil {
			t.Fatal(c, err)
		}
		c.Close()
		if p.evict() != nil { // the second one
			t.Fatal("evict returned a connection, want none")
		}
		o.opened.Store(0)
		p.leave(oneSlotServer, true)
		synctest.Wait()
		if n := o.opened.Load(); n != 0 {
			close(opened)
			t.Fatalf("%d connections opened in advance, want 0", n)
		}
		if err := p.wait(t.Context()); err != nil || p.queued() != 0 {
			t.Errorf("%v, %d logins wait", err, p.queued())
		}
		p.leave(oneSlotServer, false)
	})
}
