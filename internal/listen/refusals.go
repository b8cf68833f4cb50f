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

// Refusals remembers when clients that were refused were last told of, by address: once a minute. Its zero
// value is ready, for any number of goroutines.
type Refusals struct {
	mu    sync.Mutex
	swept time.Time
	told  map[netip.Addr]time.Time
}

// First tells whether this is the first refusal of an address in an interval.
func (r *Refusals) First(address netip.Addr, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, known := r.told[address]
	if known && recent(last, now) || !known && !r.room(now) {
		return false
	}
	if r.told == nil {
		r.told = make(map[netip.Addr]time.Time)
	}
	r.told[address] = now
	return true
}

// room tells whether there is room for one more address. Old ones make room, once in an interval.
func (r *Refusals) room(now time.Time) bool {
	if len(r.told) >= maxRefused && !recent(r.swept, now) {
		r.swept = now
		maps.DeleteFunc(r.told, func(_ netip.Addr, last time.Time) bool { return !recent(last, now) })
	}
	return len(r.told) < maxRefused
}

// recent holds a little before t, too: of clients that are refused at once, a later one may be the first here.
func recent(t, now time.Time) bool { return now.Sub(t).Abs() < refusalInterval }
