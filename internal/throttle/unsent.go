package throttle

import (
	"context"
	"slices"
	"sync"
	"time"

	"mailauthd/internal/redisdb"
)

// MaxUnsent is the largest number of failures and successes that wait for Redis. If there are more, the oldest are dropped:
// they have decayed most.
const MaxUnsent = 1 << 16

// The largest number of scripts in one round trip. An event that may have been sent is sent again, and counts once while its
// password is one of the last ones of its pair. So no more events than that are sent at once.
const (
	maxBatch  = 200
	maxEvents = passwords
)

// event is a failure or a success that Redis has not got.
type event struct {
	keys
	tag    uint16 // of the wrong password; 0: a success
	at     time.Time
	number int // of all events, in their order
}

func (e event) isSuccess() bool { return e.tag == 0 }

// unsent has events in their order.
type unsent struct {
	mu      sync.Mutex
	events  []event
	added   int
	dropped int
}

func (u *unsent) add(e event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.events) == MaxUnsent {
		u.events = slices.Delete(u.events, 0, MaxUnsent/8) // not one by one, because all others move
		u.dropped += MaxUnsent / 8
	}
	u.added++
	e.number = u.added
	u.events = append(u.events, e)
}

// first returns a copy of the first events.
func (u *unsent) first() []event {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.events[:min(len(u.events), maxEvents)])
}

// remove removes the events that match.
func (u *unsent) remove(match func(e event) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.events = slices.DeleteFunc(u.events, match)
	if len(u.events) == 0 {
		u.events = nil // after an outage they may take megabytes
	}
}

// Unsent returns how many failures and successes wait for Redis, and how many were dropped because there were more than
// [MaxUnsent].
func (t *Throttle) Unsent() (waiting, dropped int) {
	if t.shared == nil {
		return 0, 0
	}
	u := &t.shared.unsent
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.events), u.dropped
}

// bringIn adds to the counters in Redis what they lack: what was counted without Redis, and, if Redis has lost data,
// what this machine has seen there.
func (t *Throttle) bringIn(ctx context.Context, lost bool) error {
	s, config := t.shared, t.configNow()
	for batch := s.unsent.first(); len(batch) > 0; batch = s.unsent.first() {
		now := s.now()
		calls := make([]redisdb.Call, len(batch))
		for i, e := range batch {
			calls[i] = s.eventCall(&config, e, max(0, now.Sub(e.at)))
		}
		if err := s.db.RunAll(ctx, calls); err != nil {
			return err
		}
		last := batch[len(batch)-1].number
		s.unsent.remove(func(e event) bool { return e.number <= last })
	}
	if lost {
		return t.seedAll(ctx, &config)
	}
	return nil
}
