package listen

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// Limits of Refusals.
const (
	refusalInterval = time.Minute // between two warnings about one address
	maxRefused      = 1024        // addresses that are remembered; further ones are not logged
)

// Refusals remembers which refused clients were logged in the last minute, so that each address is
// logged once a minute. The zero value is ready to use. Refusals is safe for concurrent use.
type Refusals struct {
	mu     sync.Mutex
	swept  time.Time
	logged map[netip.Addr]time.Time
}

// First reports whether this is the first refusal of an address within a minute.
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

// room reports whether there is room for another address. It removes old ones, at most once a
// minute.
func (r *Refusals) room(now time.Time) bool {
	if len(r.logged) >= maxRefused && !recent(r.swept, now) {
		r.swept = now
		maps.DeleteFunc(r.logged, func(_ netip.Addr, last time.Time) bool { return !recent(last, now) })
	}
	return len(r.logged) < maxRefused
}

// recent reports whether t is less than a minute from now. It may be after now, because concurrent
// callers of First can arrive in another order.
func recent(t, now time.Time) bool { return now.Sub(t).Abs() < refusalInterval }
