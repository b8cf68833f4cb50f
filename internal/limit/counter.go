package limit

import "net/netip"

// Counter counts what is in use, in all and by network. Its owner's mutex guards it.
//
// Networks are compared as they are: the caller gives each in its canonical form ([netip.Prefix.Masked]). An
// invalid one, such as the zero value, counts in all only.
type Counter struct {
	max, maxFrom int
	all          int
	from         map[netip.Prefix]int
}

// NewCounter makes a counter of at most max in all and maxFrom of one network; 0 is no bound.
func NewCounter(max, maxFrom int) *Counter {
	return &Counter{max: max, maxFrom: maxFrom, from: make(map[netip.Prefix]int)}
}

// Full reports whether one more would be too many, in all or of its own network.
func (c *Counter) Full(from netip.Prefix) (all, own bool) {
	all = c.max > 0 && c.all >= c.max
	own = c.maxFrom > 0 && from.IsValid() && c.from[from] >= c.maxFrom
	return all, own
}

// Add counts one more. It does so even if the counter is full.
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

// From is how many of a network are in use.
func (c *Counter) From(from netip.Prefix) int { return c.from[from] }

// Len is how many are in use in all.
func (c *Counter) Len() int { return c.all }
