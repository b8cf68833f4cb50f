package limit

import "net/netip"

// Counter counts what is in use, in total and by network. It is not safe for concurrent use.
//
// Networks must be in canonical form ([netip.Prefix.Masked]). An invalid one, such as the zero Prefix, counts
// only in total.
type Counter struct {
	max, maxFrom int
	all          int
	from         map[netip.Prefix]int
}

// NewCounter makes a counter with the bounds max in total and maxFrom for one network; 0 is no bound.
func NewCounter(max, maxFrom int) *Counter {
	return &Counter{max: max, maxFrom: maxFrom, from: make(map[netip.Prefix]int)}
}

// Full reports whether another one would exceed the bound, in total or for its own network.
func (c *Counter) Full(from netip.Prefix) (all, own bool) {
	all = c.max > 0 && c.all >= c.max
	own = c.maxFrom > 0 && from.IsValid() && c.from[from] >= c.maxFrom
	return all, own
}

// Add counts another one, even if the counter is full.
func (c *Counter) Add(from netip.Prefix) {
	c.all++
	if from.IsValid() {
		c.from[from]++
	}
}

// Remove undoes one Add of the same network.
func (c *Counter) Remove(from netip.Prefix) {
	c.all--
	if !from.IsValid() {
		return
	}
	if c.from[from]--; c.from[from] == 0 {
		delete(c.from, from)
	}
}

// From returns the count of a network.
func (c *Counter) From(from netip.Prefix) int { return c.from[from] }

// Len returns the total count.
func (c *Counter) Len() int { return c.all }
