package throttle

import (
	"math"
	"slices"
	"time"
)

const (
	passwords = 8           // the number of wrong passwords remembered for a user, and for a pair
	maxOver   = 16          // the highest count, as a multiple of the lowest one that is over the limit
	margin    = 0.5         // a count is over its limit from this far below it, because it decays while it grows
	slack     = time.Minute // calls may be out of order by this much; beyond it the clock was set back
)

// entry is a decaying count.
type entry struct {
	count float64
	last  time.Duration     // when the count was current, since the start of the throttle
	tags  [passwords]uint16 // of the wrong passwords, the last one first; 0: empty

	network, user uint64 // the keys of a pair's network and user

	seen   float64 // the count when Redis was last asked; 0: never
	seenAt int64   // Redis's clock at that time, in microseconds
}

// settle lets the count decay until now, and returns it. If the clock was set back, the count stays as it
// is and decays from the new time on.
func (e *entry) settle(now, halfLife time.Duration) float64 {
	passed := float64(now) - float64(e.last) // as integers they could overflow
	if passed > 0 {
		e.count *= math.Exp2(-passed / float64(halfLife))
	}
	if passed > 0 || passed < -float64(slack) {
		e.last = now
	}
	return e.count
}

// add counts one failure.
func (e *entry) add(limit float64) {
	e.count = min(e.count+1, maxOver*(max(limit, 1)-margin))
}

// remember adds a password to the last ones. It reports whether the password was there already.
func (e *entry) remember(tag uint16) (seen bool) {
	if slices.Contains(e.tags[:], tag) {
		return true
	}
	copy(e.tags[1:], e.tags[:])
	e.tags[0] = tag
	return false
}
