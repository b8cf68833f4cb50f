package throttle

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"
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
	seed  maphash.Seed
	start time.Time // entries have the time since start

	mu     sync.Mutex // one for all tables, because it is held for less than a microsecond except by Configure and Forget
	config Config
	tables tables
}

// New returns a Throttle without any counts. now is the current time, as in the later calls.
func New(c Config, now time.Time) (*Throttle, error) {
	t := &Throttle{seed: maphash.MakeSeed(), start: now}
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

// Allow reports whether a login may be tried. In all calls the user must be the name of the account
// in canonical form (package mailaddr), not an alias. Otherwise each form of the name would have
// limits of its own.
func (t *Throttle) Allow(client netip.Addr, user string, now time.Time) Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	network, trusted := t.config.Network(client)
	if trusted {
		return Verdict{Allowed: true, Known: true, Trusted: true}
	}
	k := t.keys(network, user)
	at := now.Sub(t.start)
	var over Counter
	fullest := t.fullness(Pair, k.pair, at, &over)
	fullest = max(fullest, t.fullness(Network, k.network, at, &over))
	known := t.tables.knows(k)
	if !known {
		fullest = max(fullest, t.fullness(User, k.user, at, &over))
	}
	if t.config.LogOnly {
		return Verdict{Allowed: true, Known: true, Network: network, Over: over}
	}
	return Verdict{Allowed: over == "", Known: known, Network: network, Over: over, Penalty: t.config.penalty(fullest)}
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
func (t *Throttle) Fail(client netip.Addr, user, password string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	network, trusted := t.config.Network(client)
	if trusted {
		return
	}
	k := t.keys(network, user)
	at := now.Sub(t.start)
	tag := t.tag(password)
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
func (t *Throttle) Succeed(client netip.Addr, user string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	network, trusted := t.config.Network(client)
	if trusted {
		return
	}
	k := t.keys(network, user)
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
