package listen

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// What is remembered of refused clients.
const (
	refusalInterval = time.Minute // between two warnings of one address
	maxRefused      = 1024        // addresses; beyond it nothing is said of new ones
)

// Refusals remembers when a refused client was last logged, by address, so that it is logged once a minute. The
// zero value is ready to use, by any number of goroutines.
type Refusals struct {
	mu     sync.Mutex
	swept  time.Time
	logged map[netip.Addr]time.Time
}

// First reports whether this is the first refusal of an address in an interval.
func (r *Refusals) First(address netip.Addr, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, known := r.logged[address]
	if known && recent(last, now) || !known && !r.room(now) {
		return false
	}
	if r.logged == nil {
		r.logged = make(map[netip.Addr]time.Time)
	}
	r.logged[address] = now
	return true
}

// room reports whether there is room for one more address. It forgets old ones, once in an interval.
func (r *Refusals) room(now time.Time) bool {
	if len(r.logged) >= maxRefused && !recent(r.swept, now) {
		r.swept = now
		maps.DeleteFunc(r.logged, func(_ netip.Addr, last time.Time) bool { return !recent(last, now) })
	}
	return len(r.logged) < maxRefused
}

// recent holds a little before t, too: of clients that are refused at once, a later one may be the first here.
func recent(t, now time.Time) bool { return now.Sub(t).Abs() < refusalInterval }
