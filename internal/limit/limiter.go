package limit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// ErrFull is the error of a caller that is refused under overload: it found no room, or had to make room for another
// caller.
var ErrFull = errors.New("too many logins wait already")

// maxInRow is how many known clients get a slot one after the other while unknown ones wait.
const maxInRow = 4

// Client describes the client on whose behalf a caller wants a slot.
type Client struct {
	Network netip.Prefix // the zero Prefix if the address is not known, which is a network of its own
	Known   bool         // the user has logged in from there before
	Trusted bool         // belongs to no network, and counts as known
}

func (c Client) known() bool { return c.Known || c.Trusted }

// Config bounds one limiter.
type Config struct {
	Slots    int // callers that have a slot at a time, at least 1
	Reserved int // slots that a known network leaves to others, and all unknown ones together; less than Slots
	Waiting  int // callers that wait for a slot
}

// Bounds are the largest numbers of a group's callers, those that wait included.
type Bounds struct {
	Callers int // in all
	Network int // of one network; 0: as many as in all
	Unknown int // of all unknown networks together; 0: as many as in all
}

// Group bounds the callers of its limiters together.
type Group struct {
	bounds Bounds

	mu       sync.Mutex
	callers  int
	unknown  int                      // callers from unknown networks
	served   uint64                   // number of slots that went to callers that had waited
	networks map[netip.Prefix]network // only those that have callers
	waiting  []*caller                // in the order of their arrival
}

// network is a network that has callers in a group. Trusted clients count in no network.
type network struct {
	callers int
	served  uint64 // Group.served when one of them last got a slot after a wait; 0: none did
}

// Limiter hands out slots. It belongs to a group, whose mutex guards it.
type Limiter struct {
	group  *Group
	config Config

	taken   int                  // slots in use
	unknown int                  // of these, slots of unknown networks
	taking  map[netip.Prefix]int // of these, slots by network
	waiting int                  // callers
	inRow   int                  // slots that known clients got while unknown ones waited
}

// caller is a caller that waits for a slot of a limiter or, if limiter is nil, for the result of another caller.
type caller struct {
	client  Client
	limiter *Limiter
	granted chan struct{} // closed with the slot
	refused chan struct{} // closed when the caller has to leave
}

// NewGroup makes a group.
func NewGroup(b Bounds) *Group {
	b.Network, b.Unknown = cmp.Or(b.Network, b.Callers), cmp.Or(b.Unknown, b.Callers)
	return &Group{bounds: b, networks: make(map[netip.Prefix]network)}
}

// NewLimiter makes a limiter of the group.
func (g *Group) NewLimiter(c Config) *Limiter {
	c.Slots = max(c.Slots, 1)
	c.Reserved = min(c.Reserved, c.Slots-1)
	return &Limiter{group: g, config: c, taking: make(map[netip.Prefix]int)}
}

// Config returns the limiter's bounds.
func (l *Limiter) Config() Config { return l.config }

// Usage returns how many callers have a slot of the limiter, and how many wait for one.
func (l *Limiter) Usage() (taken, waiting int) {
	l.group.mu.Lock()
	defer l.group.mu.Unlock()
	return l.taken, l.waiting
}

// Callers returns how many callers the group has, and how many of these wait.
func (g *Group) Callers() (all, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.callers, len(g.waiting)
}

// Slot is a slot of a limiter.
type Slot struct {
	Waited bool // the caller waited for the slot, so earlier decisions may be out of date

	limiter *Limiter
	client  Client
}

// Release gives the slot back. Call it once.
func (s Slot) Release() {
	s.limiter.group.mu.Lock()
	defer s.limiter.group.mu.Unlock()
	s.limiter.giveBack(s.client)
}

// Acquire takes a slot, or waits for it, no longer than wait. An error wraps [ErrFull], or the context's cause.
func (l *Limiter) Acquire(ctx context.Context, wait time.Duration, client Client) (Slot, error) {
	w, err := l.enter(client)
	if w == nil {
		return Slot{limiter: l, client: client}, err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return Slot{Waited: true, limiter: l, client: client}, l.group.wait(ctx, w, w.granted)
}

// Join waits for the result of another caller, until done is closed. The joined caller counts as one that waits. It
// makes room for callers of the same client that want a slot, such as the one that computes the result.
func (g *Group) Join(ctx context.Context, client Client, done <-chan struct{}) error {
	g.mu.Lock()
	if !g.admit(client) {
		g.mu.Unlock()
		return ErrFull
	}
	g.add(client)
	w := &caller{client: client, refused: make(chan struct{})}
	g.enqueue(w)
	g.mu.Unlock()
	err := g.wait(ctx, w, done)
	if err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.dequeue(w) {
			g.remove(client)
		}
	}
	return err
}

// enter takes a free slot and returns nil, or returns a caller that waits for one. Under overload it returns an error.
func (l *Limiter) enter(client Client) (*caller, error) {
	g := l.group
	g.mu.Lock()
	defer g.mu.Unlock()
	free := l.mayTake(client)
	full := func() bool { return !free && l.waiting >= l.config.Waiting }
	if full() && g.victim(client, l) == nil || !g.admit(client) && !g.refuseJoined(client) {
		return nil, ErrFull
	}
	if full() {
		g.refuse(g.victim(client, l))
	}
	g.add(client)
	if free {
		l.take(client)
		return nil, nil
	}
	w := &caller{client: client, limiter: l, granted: make(chan struct{}), refused: make(chan struct{})}
	g.enqueue(w)
	return w, nil
}

// wait waits until done is closed, and then returns nil. On an error the caller has left the queue.
func (g *Group) wait(ctx context.Context, w *caller, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-w.refused:
		return fmt.Errorf("%w: refused in favor of another network", ErrFull)
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.dequeue(w):
		g.remove(w.client)
	case w.granted != nil && isClosed(w.granted): // the slot was granted at the same moment, and goes to the next caller
		w.limiter.giveBack(w.client)
	}
	return fmt.Errorf("gave up waiting: %w", context.Cause(ctx))
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// mayTake reports whether the client may have a slot now.
func (l *Limiter) mayTake(c Client) bool {
	if l.taken >= l.config.Slots || c.Trusted {
		return l.taken < l.config.Slots
	}
	all := l.config.Slots - l.config.Reserved // the limit of one known network, and of all unknown ones together
	if c.Known || l.config.Reserved == 0 {
		return l.taking[c.Network] < all
	}
	return l.unknown < all && l.taking[c.Network] < (all+1)/2
}

func (l *Limiter) take(c Client) {
	l.taken++
	if c.Trusted {
		return
	}
	l.taking[c.Network]++
	if !c.Known {
		l.unknown++
	}
}

// giveBack takes the slot back from a caller, and grants it to the next one.
func (l *Limiter) giveBack(c Client) {
	l.taken--
	if !c.Trusted {
		if l.taking[c.Network]--; l.taking[c.Network] == 0 {
			delete(l.taking, c.Network)
		}
		if !c.Known {
			l.unknown--
		}
	}
	l.group.remove(c)
	for w := l.next(); w != nil; w = l.next() {
		l.group.dequeue(w)
		l.take(w.client)
		l.group.serve(w.client)
		close(w.granted)
	}
}

// next returns the caller that gets the next slot. It returns nil if no caller that waits may have one.
func (l *Limiter) next() *caller {
	var known, unknown *caller
	for _, w := range l.group.waiting {
		if w.limiter != l || !l.mayTake(w.client) {
			continue
		}
		best := &unknown
		if w.client.known() {
			best = &known
		}
		if *best == nil || l.before(w.client, (*best).client) {
			*best = w
		}
	}
	switch {
	case unknown == nil:
		return known
	case known == nil || l.inRow == maxInRow:
		l.inRow = 0
		return unknown
	}
	l.inRow++
	return known
}

// before reports whether a goes before b: its network has fewer slots, or has as many and was served longer ago.
func (l *Limiter) before(a, b Client) bool {
	slotsA, servedA := l.share(a)
	slotsB, servedB := l.share(b)
	return slotsA < slotsB || slotsA == slotsB && servedA < servedB
}

// share returns the number of slots that the client's network has, and when the network was served last.
func (l *Limiter) share(c Client) (slots int, served uint64) {
	if c.Trusted {
		return 0, 0
	}
	return l.taking[c.Network], l.group.networks[c.Network].served
}
