package throttle

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// MaxHeld is the largest number of counters over their limits whose names are kept, those of the latest refusals.
const MaxHeld = 1024

// heldKey identifies a counter.
type heldKey struct {
	counter Counter
	key     uint64
}

// names has the names of counters, because the tables have only hashes.
type names = simplelru.LRU[heldKey, string]

// note keeps the name of a counter that refuses a login.
func (t *Throttle) note(over Counter, k keys, network netip.Prefix, user string) {
	if over == "" {
		return
	}
	key := map[Counter]uint64{Pair: k.pair, Network: k.network, User: k.user}[over]
	if _, ok := t.held.Get(heldKey{over, key}); !ok {
		t.held.Add(heldKey{over, key}, nameOf(over, network, user))
	}
}

func nameOf(c Counter, network netip.Prefix, user string) string {
	from := network.String()
	switch {
	case !network.IsValid():
		from = "no address"
	case network.IsSingleIP():
		from = network.Addr().String()
	}
	switch c {
	case Pair:
		return user + " from " + from
	case Network:
		return from
	}
	return user
}

// Held returns the counters over their limits that have refused logins on this machine, the fullest first.
func (t *Throttle) Held(now time.Time) []Held {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Held
	for _, id := range t.held.Keys() {
		h, over := t.look(id.counter, id.key, now.Sub(t.start))
		if !over {
			t.held.Remove(id)
			continue
		}
		h.Name, _ = t.held.Peek(id)
		list = append(list, h)
	}
	slices.SortStableFunc(list, func(a, b Held) int { return cmp.Compare(b.Wait, a.Wait) })
	return list
}
