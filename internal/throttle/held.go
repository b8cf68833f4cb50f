package throttle

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
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

// fromNetwork is between the user and the network in the name of a pair. A user name that can log in has no space.
const fromNetwork = " from "

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
		return user + fromNetwork + from
	case Network:
		return from
	}
	return user
}

// Held returns the counters over their limits that have refused logins on this machine, those with the longest wait first.
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

// HeldUser returns the counter of a user, over its limit or not, and those of its pairs that have refused logins on this
// machine and are over their limits.
func (t *Throttle) HeldUser(ctx context.Context, user string, now time.Time) []Held {
	k := keys{user: t.userKey(user)}
	t.refresh(ctx, k, now)
	return t.heldOf(User, k.user, user, now)
}

// HeldNetwork is like HeldUser, but for the network of a client.
func (t *Throttle) HeldNetwork(ctx context.Context, client netip.Addr, now time.Time) []Held {
	network, trusted := t.network(client)
	if trusted {
		return nil
	}
	k := keys{network: t.networkKey(network)}
	t.refresh(ctx, k, now)
	return t.heldOf(Network, k.network, nameOf(Network, network, ""), now)
}

// heldOf returns the counter with a key, and the pairs with its name.
func (t *Throttle) heldOf(c Counter, key uint64, name string, now time.Time) (list []Held) {
	for _, h := range t.Held(now) {
		user, network, _ := strings.Cut(h.Name, fromNetwork)
		if h.Counter == Pair && (c == User && user == name || c == Network && network == name) {
			list = append(list, h)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h, _ := t.look(c, key, now.Sub(t.start)); h.Limit > 0 {
		h.Name = name
		list = slices.Insert(list, 0, h)
	}
	return list
}
