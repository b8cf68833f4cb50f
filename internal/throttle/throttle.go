package throttle

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Counter names what has been counted.
type Counter string

// The counters, in the order in which they are looked at.
const (
	Pair    Counter = "pair"
	Network Counter = "network"
	User    Counter = "user"
)

// Verdict says what to do with a login.
type Verdict struct {
	Allowed bool
	Known   bool          // to go first: the network is trusted, or the user has logged in from there, or LogOnly
	Trusted bool          // the network is
	Network netip.Prefix  // of the client, as it is counted; zero if it is trusted, or the address not known
	Over    Counter       // the counter that is over its limit; empty: none. With LogOnly it is set and the login allowed
	Penalty time.Duration // how long the answer should wait if the login fails
}

// Throttle counts failed logins. It is for use by any number of goroutines.
type Throttle struct {
	seed  maphash.Seed
	start time.Time // of its own time

	mu     sync.Mutex // one: what it guards takes less than a microsecond, but for Configure and Forget
	config Config
	tables tables
}

// New makes a Throttle whose time begins now.
func New(c Config, now time.Time) (*Throttle, error) {
	t := &Throttle{seed: maphash.MakeSeed(), start: now}
	return t, t.Configure(c)
}

// Configure makes c hold from now on; what has been counted stays. On an error nothing changes.
func (t *Throttle) Configure(c Config) error {
	if err := c.Check(); err != nil {
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

// Check tells whether a login may be tried. The user name has to be in one spelling for all
// calls, mailaddr's and an alias resolved, or each spelling would have a limit of its own.
func (t *Throttle) Check(client netip.Addr, user string, now time.Time) Verdict {
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

// fullness is a count as a part of its limit. It notes the first counter that is over.
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

// Fail reports a wrong password, for a user who need not exist.
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

// Succeed reports a right password.
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
	t.takeBack(pair, now.Sub(t.start)) // its passwords stay known: a phone may go on with an old one
}

// takeBack clears a pair, and takes back from its network what it has added.
func (t *Throttle) takeBack(pair *entry, at time.Duration) {
	added := pair.settle(at, t.config.HalfLife)
	pair.count = 0
	if e, ok := t.tables.networks.Get(pair.network); ok {
		e.count = max(0, e.settle(at, t.config.HalfLife)-added)
	}
}
