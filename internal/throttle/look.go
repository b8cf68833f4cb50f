package throttle

import (
	"context"
	"math"
	"net/netip"
	"slices"
	"time"
)

// Held is a counter, in most cases one that is over its limit, for a person to read.
type Held struct {
	Counter Counter
	Name    string        // the network, the user, or both: "user from network"
	Count   float64       // what is left of the wrong passwords after their decay
	Limit   int           // of Count
	Wait    time.Duration // how long until one more login may be tried, if no other fails; 0: now
}

// Look returns the counters over their limits that refuse a login, unless LogOnly is set. It is otherwise as
// [Throttle.Counters].
func (t *Throttle) Look(ctx context.Context, client netip.Addr, user string, now time.Time) []Held {
	counters := t.Counters(ctx, client, user, now)
	return slices.DeleteFunc(counters, func(h Held) bool { return h.Wait == 0 })
}

// Counters returns the counters of a login that have a limit and are not 0, in the order in which [Throttle.Allow] checks
// them. Wait is 0 for a counter that does not refuse the login. Unlike Allow, Counters changes nothing, so it does not
// count as a use.
func (t *Throttle) Counters(ctx context.Context, client netip.Addr, user string, now time.Time) (counters []Held) {
	network, trusted := t.network(client)
	if trusted {
		return nil
	}
	k := t.keys(network, user)
	t.refresh(ctx, k, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range []struct {
		Counter
		key uint64
	}{{Pair, k.pair}, {Network, k.network}, {User, k.user}} {
		h, _ := t.look(c.Counter, c.key, now.Sub(t.start))
		if h.Count == 0 {
			continue
		}
		if c.Counter == User && t.tables.knows(k) {
			h.Wait = 0
		}
		h.Name = nameOf(c.Counter, network, user)
		counters = append(counters, h)
	}
	return counters
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
