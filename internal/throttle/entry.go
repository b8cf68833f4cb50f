package throttle

import (
	"math"
	"slices"
	"time"
)

const (
	passwords = 8           // remembered wrong passwords of a user, and of a pair
	maxOver   = 16          // times what is over the limit is the highest count
	margin    = 0.5         // a count is over its limit from so much below it: it decays while it is filled
	slack     = time.Minute // calls may come out of order by so much; more is a clock that was set back
)

// entry is a decaying count.
type entry struct {
	count float64
	last  time.Duration     // when count was that, in the throttle's time
	tags  [passwords]uint16 // the last one first; 0 is an empty place

	network, user uint64 // keys of what a pair is made of
}

// settle lets a count decay until now, and returns it. If the clock was set back it does not decay for
// the time in between.
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

// remember puts a password among the last ones, and tells whether it was there.
func (e *entry) remember(tag uint16) (seen bool) {
	if slices.Contains(e.tags[:], tag) {
		return true
	}
	copy(e.tags[1:], e.tags[:])
	e.tags[0] = tag
	return false
}
