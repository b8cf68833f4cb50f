package status

import (
	"math"
	"time"
)

// The histogram of times: a step is √2 as long as the one before. The last one has no end.
const (
	steps    = 40
	firstEnd = 100 * time.Microsecond
)

// ends has the ends of the steps.
var ends = func() (e [steps - 1]time.Duration) {
	for i := range e {
		e[i] = time.Duration(float64(firstEnd) * math.Pow(2, float64(i)/2))
	}
	return e
}()

// step returns the step that a time belongs to.
func step(took time.Duration) int {
	low, high := 0, len(ends)
	for low < high {
		if middle := (low + high) / 2; took > ends[middle] {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// quantile returns the time in seconds that a share of the logins did not exceed. Within a step the logins are taken to
// be evenly spread. It is 0 without logins.
func (c *counts) quantile(share float64) float64 {
	left := math.Ceil(share * float64(c.total()))
	begin := time.Duration(0)
	for i, n := range c.times[:len(ends)] {
		if n > 0 && float64(n) >= left {
			end := min(ends[i], c.max)
			return begin.Seconds() + (end-begin).Seconds()*left/float64(n)
		}
		left -= float64(n)
		begin = ends[i]
	}
	return c.max.Seconds()
}
