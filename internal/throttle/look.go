package throttle

import (
	"context"
	"math"
	"net/netip"
	"time"
)

// Held is a counter that is over its limit, for a person to read.
type Held struct {
	Counter Counter
	Name    string        // the network, the user, or both: "user from network"
	Count   float64       // what is left of the wrong passwords after their decay
	Limit   int           // the limit that Count has reached
	Wait    time.Duration // how long until one more login may be tried, if no other fails; 0: now
}

// Look returns the counters that are over their limits for a login, in the order in which [Throttle.Allow] checks
// them. They refuse the login unless LogOnly is set. Unlike Allow it changes nothing, so it does not count as a use.
func (t *Throttle) Look(ctx context.Context, client netip.Addr, user string, now time.Time) (held []Held) {
	network, trusted := t.network(client)
	if trusted {
		return nil
	}
	k := t.keys(network, user)
	t.refresh(ctx, k, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	add := func(c Counter, key uint64) {
		if h, over := t.look(c, key, now.Sub(t.start)); over {
			h.Name = nameOf(c, network, user)
			held = append(held, h)
		}
	}
	add(Pair, k.pair)
	add(Network, k.network)
	if !t.tables.knows(k) {
		add(User, k.user)
	}
	return held
}

// look returns a counter, and whether it is over its limit. A counter without a limit, or that does not exist, is zero.
func (t *Throttle) look(c Counter, key uint64, at time.Duration) (Held, bool) {
	limit := t.config.limit(c)
	stored, ok := t.tables.of(c).Peek(key)
	if !ok || limit == 0 {
		return Held{}, false
	}
	e := *stored
	n := e.settle(at, t.config.HalfLife)
	if n <= limit-margin {
		return Held{Counter: c, Count: n, Limit: int(limit)}, false
	}
	wait := time.Duration(math.Log2(n/(limit-margin)) * float64(t.config.HalfLife))
	return Held{Counter: c, Count: n, Limit: int(limit), Wait: wait}, true
}
