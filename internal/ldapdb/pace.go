package ldapdb

import (
	"context"
	"hash/maphash"
	"runtime"
	"sync"
	"time"
)

// remembered is how many durations a pace remembers of each kind.
const remembered = 64

// pace hides how soon a server refuses a bind without comparing a hash, because there is no such entry or because the
// account is locked. Such a refusal waits until the bind has lasted as long as another one that has compared a hash.
type pace struct {
	mu                sync.Mutex
	seed              maphash.Seed
	refused, accepted durations
}

// durations are those of the last binds.
type durations struct {
	n    uint64 // how many there were
	last [remembered]time.Duration
}

func (d *durations) add(took time.Duration) {
	d.last[d.n%remembered] = took
	d.n++
}

func newPace() *pace { return &pace{seed: maphash.MakeSeed()} }

// compared remembers a bind that has compared a hash.
func (p *pace) compared(accepted bool, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if accepted {
		p.accepted.add(took)
	} else {
		p.refused.add(took)
	}
}

// of returns how long a bind of a name shall take. The name alone chooses the bind that is imitated, so that the time of
// a name varies as little as that of an entry. A wrong password is imitated if there was one: with a password policy a
// server writes down the failure.
func (p *pace) of(name string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := &p.refused
	if d.n == 0 {
		d = &p.accepted
	}
	if d.n == 0 {
		return 0
	}
	return d.last[maphash.String(p.seed, name)%min(d.n, remembered)]
}

// tick is how much later a timer may fire than it shall. The runtime waits for network and timers in milliseconds.
const tick = time.Millisecond

// wait waits until the bind of a name has lasted as long as it shall, or ctx ends. A comparison of a fast hash takes less
// than a tick, so a timer alone would show a name that does not exist. The end of the wait is spun instead.
func (p *pace) wait(ctx context.Context, name string, took time.Duration) {
	end := time.Now().Add(p.of(name) - took)
	if rest := time.Until(end) - tick; rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil && time.Now().Before(end) {
		runtime.Gosched()
	}
}
