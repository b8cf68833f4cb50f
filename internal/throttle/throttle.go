package throttle

import (
	"context"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Counter is the name of a counter.
type Counter string

// The counters, in the order in which [Throttle.Allow] checks them.
const (
	Pair    Counter = "pair"
	Network Counter = "network"
	User    Counter = "user"
)

// Verdict is the result of [Throttle.Allow].
type Verdict struct {
	Allowed bool          // whether the login may be tried
	Known   bool          // whether the login may go first: its network is known or trusted, or LogOnly is set
	Trusted bool          // whether the network is trusted
	Network netip.Prefix  // the network that the client is counted in; zero if it is trusted or has no valid address
	Over    Counter       // the first counter over its limit, which refuses the login unless LogOnly is set; empty: none
	Penalty time.Duration // how long the response should wait if the login fails
}

// Throttle counts failed logins. It is safe for concurrent use.
type Throttle struct {
	seed   maphash.Seed
	start  time.Time // entries have the time since start
	shared *shared   // nil: this machine counts for itself

	mu     sync.Mutex // one for all tables, because it is held for less than a microsecond except by Configure and Forget
	config Config
	tables tables
	held   *names
}

// New returns a Throttle without any counts. now is the current time, as in the later calls.
func New(c Config, now time.Time) (*Throttle, error) {
	held, err := simplelru.NewLRU[heldKey, string](MaxHeld, nil)
	if err != nil {
		return nil, err
	}
	t := &Throttle{seed: maphash.MakeSeed(), start: now, held: held}
	return t, t.Configure(c)
}

// Configure applies c from now on, and keeps the counts. On an error nothing changes.
func (t *Throttle) Configure(c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	c.TrustedNetworks = slices.Clone(c.TrustedNetworks)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.tables.resize(c.MaxEntries); err != nil {
		return err
	}
	t.config = c
	return nil
}

// Bound returns a context for all calls that belong to one login. With shared counters, the login does not wait for Redis
// longer than its timeout in all.
func (t *Throttle) Bound(ctx context.Context) context.Context {
	if t.shared == nil {
		return ctx
	}
	return t.shared.db.Bound(ctx)
}

// Allow reports whether a login may be tried. In all calls the user must be the name of the account
// in canonical form (package mailaddr), not an alias. Otherwise each form of the name would have
// limits of its own.
func (t *Throttle) Allow(ctx context.Context, client netip.Addr, user string, now time.Time) Verdict {
	network, trusted := t.network(client)
	if trusted {
		return Verdict{Allowed: true, Known: true, Trusted: true}
	}
	k := t.keys(network, user)
	t.refresh(ctx, k, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	at := now.Sub(t.start)
	var over Counter
	fullest := t.fullness(Pair, k.pair, at, &over)
	fullest = max(fullest, t.fullness(Network, k.network, at, &over))
	known := t.tables.knows(k)
	if !known {
		fullest = max(fullest, t.fullness(User, k.user, at, &over))
	}
	t.note(over, k, network, user)
	if t.config.LogOnly {
		return Verdict{Allowed: true, Known: true, Network: network, Over: over}
	}
	return Verdict{Allowed: over == "", Known: known, Network: network, Over: over, Penalty: t.config.penalty(fullest)}
}

// PrefixOf returns the number of bits of a client's address that identify its network.
func (t *Throttle) PrefixOf(client netip.Addr) int {
	network, _ := t.network(client)
	return network.Bits()
}

func (t *Throttle) network(client netip.Addr) (network netip.Prefix, trusted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.config.Network(client)
}

// fullness returns a count as a fraction of its limit. If the count is over the limit, and *over is empty, it
// sets *over to the counter.
func (t *Throttle) fullness(c Counter, key uint64, at time.Duration, over *Counter) float64 {
	limit := t.config.limit(c)
	e, ok := t.tables.of(c).Get(key)
	if !ok || limit == 0 {
		return 0
	}
	n := e.settle(at, t.config.HalfLife)
	if n > limit-margin && *over == "" {
		*over = c
	}
	return n / limit
}

// Fail records a wrong password. The user need not exist.
func (t *Throttle) Fail(ctx context.Context, client netip.Addr, user, password string, now time.Time) {
	network, trusted := t.network(client)
	if trusted {
		return
	}
	k, tag := t.keys(network, user), t.tag(password)
	if t.record(ctx, event{keys: k, tag: tag, at: now}) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at := now.Sub(t.start)
	pair := t.tables.entry(Pair, k.pair)
	pair.network, pair.user = k.network, k.user
	seenFromHere := pair.remember(tag)
	seen := t.tables.entry(User, k.user).remember(tag)
	if seen || seenFromHere {
		return
	}
	t.count(Pair, k.pair, at)
	t.count(Network, k.network, at)
	t.count(User, k.user, at)
}

func (t *Throttle) count(c Counter, key uint64, at time.Duration) {
	e := t.tables.entry(c, key)
	e.settle(at, t.config.HalfLife)
	e.add(t.config.limit(c))
}

// Succeed records a right password.
func (t *Throttle) Succeed(ctx context.Context, client netip.Addr, user string, now time.Time) {
	network, trusted := t.network(client)
	if trusted {
		return
	}
	k := t.keys(network, user)
	if t.shared != nil && t.changesNothing(k) || t.record(ctx, event{keys: k, at: now}) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tables.know(k)
	pair, ok := t.tables.pairs.Get(k.pair)
	if !ok {
		return
	}
	t.takeBack(pair, now.Sub(t.start)) // keep its wrong passwords, because a phone may repeat an old one
}

// takeBack clears the count of a pair, and takes back what the pair has added to its network.
func (t *Throttle) takeBack(pair *entry, at time.Duration) {
	added := pair.settle(at, t.config.HalfLife)
	pair.count = 0
	if e, ok := t.tables.networks.Get(pair.network); ok {
		e.count = max(0, e.settle(at, t.config.HalfLife)-added)
	}
}
