package limit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// join waits for a result that never comes, and records the name when the caller is refused.
func (q *queue) join(t *testing.T, g *Group, name string, c Client) {
	go func() {
		if err := g.Join(t.Context(), c, nil); errors.Is(err, ErrFull) {
			q.mu.Lock()
			q.got += name + "-"
			q.mu.Unlock()
		}
	}()
	synctest.Wait()
}

// An unknown network gets one slot in five, and not all of them after four for known networks.
func TestOrderOfManyUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 1, Waiting: 100})
		release := hold(t, l, trusted)
		var q queue
		for i, name := range "abABCDEFGHIJ" {
			c := unknown(i)
			c.Known = name < 'a'
			q.wait(l, string(name), c)
		}
		release()
		time.Sleep(time.Minute)
		q.want(t, "ABCDaEFGHbIJ")
	})
}

// A trusted client has no share, not that of the clients whose address is not known.
func TestTrustedHasNoShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 2, Waiting: 100})
		release := hold(t, l, trusted)
		nowhere := hold(t, l, Client{})
		var q queue
		q.wait(l, "t", trusted)
		q.wait(l, "A", known(1))
		release()
		q.want(t, "t")
		nowhere()
		time.Sleep(time.Minute)
		q.want(t, "tA")
		wantEmpty(t, l)
	})
}

// A trusted client finds room where others have two callers, however many have no address.
func TestTrustedFindsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 5}).NewLimiter(Config{Slots: 2, Waiting: 100})
		nowhere := Client{Known: true}
		one, other := hold(t, l, nowhere), hold(t, l, nowhere)
		var q queue
		for _, name := range []string{"a", "b", "c"} {
			q.wait(l, name, known(1))
		}
		q.wait(l, "t", trusted)
		q.want(t, "c-")
		one()
		other()
		time.Sleep(time.Minute)
		wantEmpty(t, l)
	})
}

// A slot goes to a caller of its own limiter, even if others wait at another limiter of the group.
func TestSlotsOfTwoLimiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(Bounds{Callers: 100})
		a, b := g.NewLimiter(Config{Slots: 1, Waiting: 1}), g.NewLimiter(Config{Slots: 1, Waiting: 1})
		releaseA, releaseB := hold(t, a, known(1)), hold(t, b, known(1))
		var q queue
		q.wait(b, "b", known(2))
		q.wait(a, "a", unknown(3))
		releaseA()
		q.want(t, "a")
		releaseB()
		q.want(t, "ab")
		time.Sleep(time.Minute)
		wantEmpty(t, a)
		wantEmpty(t, b)
	})
}

// A released slot may make room for two callers: one gets the slot, and one is no longer over its share.
func TestOneSlotForTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 4, Reserved: 2, Waiting: 100})
		one, other := hold(t, l, known(1)), hold(t, l, unknown(9))
		third := hold(t, l, unknown(2))
		var q queue
		q.wait(l, "x", known(1))   // its network has two slots
		q.wait(l, "x", unknown(3)) // unknown networks have two
		other()
		q.want(t, "xx")
		one()
		third()
		time.Sleep(time.Minute)
		wantEmpty(t, l)
	})
}

// The error of a caller whose context ends wraps the cause.
func TestCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 10}).NewLimiter(Config{Slots: 1, Waiting: 1})
		defer hold(t, l, known(1))()
		gone := errors.New("the client is gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(gone)
		if _, err := l.Acquire(ctx, time.Hour, known(1)); !errors.Is(err, gone) {
			t.Errorf("error %v", err)
		}
	})
}

// A caller that gives up at the moment in which it gets a slot leaves the slot to the next.
func TestGivesUpWithASlot(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			l := NewGroup(Bounds{Callers: 10}).NewLimiter(Config{Slots: 1, Waiting: 1})
			release := hold(t, l, known(1))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if slot, err := l.Acquire(ctx, time.Hour, known(2)); err == nil {
					slot.Release()
				}
			}()
			synctest.Wait()
			cancel()
			release() // most often before the caller has left the queue
			synctest.Wait()
			wantEmpty(t, l)
		})
	}
}

// A caller that is refused at the moment in which the result comes is counted once.
func TestLeavesWithTheResult(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			g := NewGroup(Bounds{Callers: 1})
			l := g.NewLimiter(Config{Slots: 1})
			done := make(chan struct{})
			go func() { _ = g.Join(t.Context(), unknown(1), done) }()
			synctest.Wait()
			close(done)
			release := hold(t, l, known(2)) // most often before the caller has left the queue
			synctest.Wait()
			release()
			wantEmpty(t, l)
		})
	}
}

// For a caller that waits for a result, another one is refused by the same rules as for one that wants a slot.
func TestJoinMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(Bounds{Callers: 2})
		var q queue
		q.join(t, g, "a", unknown(1))
		q.join(t, g, "b", unknown(1))
		q.join(t, g, "C", known(2))
		q.want(t, "b-")
	})
}

// For a caller that wants a slot, the newest one with the same client that waits for a result is refused.
func TestJoinGivesWay(t *testing.T) {
	for _, tt := range []struct {
		name, joined string
		newcomer     Client
		want         string
	}{
		{"the newest", "aa", unknown('a'), "1-"},
		{"of the same network", "ab", unknown('a'), "0-"},
		{"not of a user that is known there", "AA", unknown('a'), "n-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewGroup(Bounds{Callers: 2})
				l := g.NewLimiter(Config{Slots: 1})
				var q queue
				for i, name := range tt.joined {
					c := unknown(int(name | 32))
					c.Known = name < 'a'
					q.join(t, g, string(rune('0'+i)), c)
				}
				slot, err := l.Acquire(t.Context(), time.Hour, tt.newcomer)
				if err != nil {
					q.mu.Lock()
					q.got += "n-"
					q.mu.Unlock()
				} else {
					defer slot.Release()
				}
				q.want(t, tt.want)
			})
		})
	}
}

// A caller that waits for a slot is not refused for another one of its client.
func TestOnlyJoinedGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(Bounds{Callers: 3})
		l := g.NewLimiter(Config{Slots: 1, Waiting: 10})
		release := hold(t, l, unknown(1))
		var q queue
		q.join(t, g, "j", unknown(1))
		q.wait(l, "a", unknown(1))
		q.wait(l, "b", unknown(1))
		q.want(t, "j-")
		release()
		time.Sleep(time.Minute)
		q.want(t, "j-ab")
		wantEmpty(t, l)
	})
}
