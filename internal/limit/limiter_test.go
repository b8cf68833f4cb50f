package limit

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// unknown and known are clients of network number i.
func unknown(i int) Client {
	return Client{Network: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 32)}
}

func known(i int) Client {
	c := unknown(i)
	c.Known = true
	return c
}

var trusted = Client{Trusted: true}

// hold takes a slot at once, or fails.
func hold(t *testing.T, l *Limiter, c Client) (release func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nobody waits
	slot, err := l.Acquire(ctx, time.Hour, c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return slot.Release
}

// queue is callers that wait, and what becomes of them in order.
type queue struct {
	mu  sync.Mutex
	got string
}

// wait has a caller wait for a slot, which it keeps for a second. Its name is noted with the slot, or with "-" if
// it is refused.
func (q *queue) wait(l *Limiter, name string, c Client) {
	go func() {
		slot, err := l.Acquire(context.Background(), time.Hour, c)
		q.mu.Lock()
		q.got += name
		if err != nil {
			q.got += "-"
		}
		q.mu.Unlock()
		if err == nil {
			time.Sleep(time.Second)
			slot.Release()
		}
	}()
	synctest.Wait()
}

func (q *queue) want(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.got != want {
		t.Errorf("slots in the order %q, want %q", q.got, want)
	}
}

func wantEmpty(t *testing.T, l *Limiter) {
	t.Helper()
	g := l.group
	if all, waiting := g.Callers(); all != 0 || waiting != 0 || len(g.networks) != 0 || l.taken != 0 || l.unknown != 0 || len(l.taking) != 0 || l.waiting != 0 {
		t.Errorf("left: group %+v, limiter %+v", g, l)
	}
}

// Known networks go first, but for every fifth slot; of one network the caller that waits longest.
func TestOrder(t *testing.T) {
	for _, tt := range []struct{ name, callers, want string }{
		{"in turn", "abc", "abc"},
		{"known first", "abC", "Cab"},
		{"trusted first", "abt", "tab"},
		{"a fifth for unknown ones", "aABCDEFG", "ABCDaEFG"},
		{"nobody unknown", "ABCDEFG", "ABCDEFG"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 1, Waiting: 100})
				release := hold(t, l, trusted)
				var q queue
				for i, name := range tt.callers {
					c := unknown(i)
					switch {
					case name == 't':
						c = trusted
					case name < 'a':
						c = known(i)
					}
					q.wait(l, string(name), c)
				}
				release()
				time.Sleep(time.Minute)
				q.want(t, tt.want)
				wantEmpty(t, l)
			})
		})
	}
}

// The network with the fewest slots comes first, whoever has waited longest.
func TestNetworksShareSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 2, Waiting: 100})
		one, other := hold(t, l, unknown(1)), hold(t, l, trusted)
		var q queue
		for range 3 {
			q.wait(l, "a", unknown(1))
		}
		q.wait(l, "x", unknown(2))
		other()
		q.want(t, "x")
		time.Sleep(time.Second / 2) // so that two do not release their slots in the same moment
		one()
		time.Sleep(time.Minute)
		q.want(t, "xaaa")
		wantEmpty(t, l)
	})
}

// Reserved slots are left by a single network and by unknown ones together, and not by trusted clients.
func TestReserved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 10, Reserved: 4, Waiting: 100})
		var releases []func()
		for i := range 6 {
			releases = append(releases, hold(t, l, unknown(i)))
		}
		var q queue
		q.wait(l, "u", unknown(7))
		for range 3 {
			releases = append(releases, hold(t, l, known(20)))
		}
		q.wait(l, "v", unknown(8))
		releases = append(releases, hold(t, l, trusted))
		q.want(t, "")
		for _, release := range releases[1:] {
			release()
			synctest.Wait()
		}
		q.want(t, "uv")
		releases[0]()
		time.Sleep(time.Minute)
		wantEmpty(t, l)
	})
}

// The group's bounds hold for what its callers have in all limiters.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(Bounds{Callers: 12, Network: 4, Unknown: 6})
		var limiters []*Limiter
		for range 4 {
			limiters = append(limiters, g.NewLimiter(Config{Slots: 3, Waiting: 10}))
		}
		taken := func(c func(i int) Client) (n int) {
			for i := range 12 {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := limiters[i%4].Acquire(ctx, 0, c(i)); err == nil {
					n++
				}
			}
			return n
		}
		for _, tt := range []struct {
			name   string
			client func(i int) Client
			want   int
		}{
			{"one known network", func(int) Client { return known(1) }, 4},
			{"unknown networks", func(i int) Client { return unknown(100 + i) }, 6},
			{"known networks", func(i int) Client { return known(200 + i) }, 2},
		} {
			if got := taken(tt.client); got != tt.want {
				t.Errorf("%s take %d slots of all limiters, want %d", tt.name, got, tt.want)
			}
		}
	})
}

// A single unknown network takes half of what all unknown ones may take.
func TestShareOfOneUnknownNetwork(t *testing.T) {
	for slots, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 8: 3, 100: 38} {
		l := NewGroup(Bounds{Callers: 1000}).NewLimiter(Config{Slots: slots, Reserved: (slots + 3) / 4})
		n := 0
		for l.mayTake(unknown(1)) {
			l.take(unknown(1))
			n++
		}
		if n != want {
			t.Errorf("of %d slots an unknown network takes %d, want %d", slots, n, want)
		}
	}
}

// A network has its share, even if nobody else wants a slot.
func TestShareOfOneNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 10, Reserved: 4, Waiting: 100})
		var own, others []func()
		for range 6 {
			own = append(own, hold(t, l, known(1)))
		}
		for range 4 {
			others = append(others, hold(t, l, trusted))
		}
		var q queue
		q.wait(l, "k", known(1))
		for _, release := range others {
			release()
		}
		q.want(t, "")
		own[0]()
		q.want(t, "k")
		for _, release := range own[1:] {
			release()
		}
		time.Sleep(time.Minute)
		wantEmpty(t, l)
	})
}

func TestReservedOfFewSlots(t *testing.T) {
	for slots := range 4 { // 0 counts as 1
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: slots, Reserved: 10})
		hold(t, l, unknown(1))()
	}
}

// A full queue refuses a caller, unless there is another one to whom that is fair.
func TestFull(t *testing.T) {
	for _, tt := range []struct{ name, waiting, newcomer, want string }{
		{"of one network", "aaaa", "a", "a-"},
		{"of networks that have one each", "abcd", "e", "e-"},
		{"of a network that has more", "aabb", "c", "b-"},
		{"of the largest network", "abbb", "a", "b-"},
		{"of a network with one more", "aabc", "b", "b-"},
		{"known before unknown", "abcd", "E", "d-"},
		{"known before the largest unknown", "baac", "B", "a-"},
		{"known, with known ones that have one each", "ABCD", "E", "E-"},
		{"known, with a known network that has more", "AABC", "D", "A-"},
		{"unknown, with known ones only", "ABCD", "e", "e-"},
		{"unknown, with a known network that has more than a quarter", "AAAB", "c", "A-"},
		{"known, of a network that has more than a quarter", "aAAA", "A", "A-"},
		{"trusted", "AABC", "t", "A-"},
		{"trusted, with known ones that have one each", "ABCD", "t", "t-"},
		{"with trusted ones only", "tttt", "A", "A-"},
	} {
		for _, bound := range []string{"limiter", "group"} {
			t.Run(tt.name+", "+bound, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l := NewGroup(Bounds{Callers: 1000}).NewLimiter(Config{Slots: 1, Waiting: 4})
					if bound == "group" {
						l = NewGroup(Bounds{Callers: 5}).NewLimiter(Config{Slots: 1, Waiting: 1000})
					}
					release := hold(t, l, trusted)
					var q queue
					for _, name := range tt.waiting + tt.newcomer {
						c := unknown(int(name | 32))
						switch {
						case name == 't':
							c = trusted
						case name < 'a':
							c = known(int(name | 32))
						}
						q.wait(l, string(name), c)
					}
					q.want(t, tt.want)
					release()
					time.Sleep(time.Minute)
					wantEmpty(t, l)
				})
			})
		}
	}
}

// A limiter without room for another one that waits leaves the other limiters of its group alone.
func TestLimitersOfAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(Bounds{Callers: 4})
		a, b := g.NewLimiter(Config{Slots: 1, Waiting: 1}), g.NewLimiter(Config{Slots: 1, Waiting: 3})
		releaseA, releaseB := hold(t, a, known(1)), hold(t, b, known(1))
		var q queue
		q.wait(b, "b", unknown(2))
		q.wait(a, "a", known(1))
		q.wait(a, "c", known(1))
		q.want(t, "c-")
		q.wait(b, "d", known(3)) // the group is full: b's caller, which is unknown, gives way
		q.want(t, "c-b-")
		releaseA()
		releaseB()
		time.Sleep(time.Minute)
		wantEmpty(t, a)
		wantEmpty(t, b)
	})
}

func TestWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 10}).NewLimiter(Config{Slots: 1, Waiting: 1})
		first, err := l.Acquire(t.Context(), time.Hour, known(1))
		if first.Waited || err != nil {
			t.Fatalf("%+v, %v", first, err)
		}
		time.AfterFunc(time.Second, first.Release)
		second, err := l.Acquire(t.Context(), time.Hour, known(1))
		if !second.Waited || err != nil {
			t.Errorf("%+v, %v", second, err)
		}
		second.Release()
		wantEmpty(t, l)
	})
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 10}).NewLimiter(Config{Slots: 1, Waiting: 1})
		release := hold(t, l, known(1))
		if _, err := l.Acquire(t.Context(), time.Second, known(1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		release()
		wantEmpty(t, l)
	})
}

func TestJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(Bounds{Callers: 3})
		l := g.NewLimiter(Config{Slots: 2, Waiting: 3})
		done := make(chan struct{})
		results := make(chan error, 3)
		for range 3 {
			go func() { results <- g.Join(t.Context(), unknown(1), done) }()
			synctest.Wait()
		}
		if err := g.Join(t.Context(), unknown(1), done); !errors.Is(err, ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		for _, c := range []Client{known(2), unknown(1)} { // one that goes first, and one of the same client
			defer hold(t, l, c)()
			if err := <-results; !errors.Is(err, ErrFull) {
				t.Errorf("%+v: error %v", c, err)
			}
		}
		close(done)
		if err := <-results; err != nil {
			t.Error(err)
		}
		if all, waiting := g.Callers(); all != 2 || waiting != 0 {
			t.Errorf("%d callers, %d wait", all, waiting)
		}
	})
}

func TestJoinDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(Bounds{Callers: 3})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Join(ctx, known(1), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wantEmpty(t, g.NewLimiter(Config{}))
	})
}

// With one slot, too, networks take turns, however many callers one of them has.
func TestNetworksTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewGroup(Bounds{Callers: 100}).NewLimiter(Config{Slots: 1, Waiting: 100})
		release := hold(t, l, trusted)
		var q queue
		for range 4 {
			q.wait(l, "a", unknown(1))
		}
		q.wait(l, "b", unknown(2))
		q.wait(l, "b", unknown(2))
		q.wait(l, "c", unknown(3))
		release()
		time.Sleep(time.Minute)
		q.want(t, "abcabaa")
		wantEmpty(t, l)
	})
}
