package migrate

import (
	"bytes"
	"slices"
)

// contest is a set of entries that overlap in the log, so that a line may belong to any of them. The entries are in doubt
// unless all of them get the same value.
type contest struct {
	members []*entry
	open    int    // members that are not settled
	value   []byte // of the first one that has got it
	has     bool
	mixed   bool
	strict  bool // a member that never gets a value differs from those that do
}

// noValue differs from all values, because a line with NUL is torn.
const noValue = "\x00"

func (c *contest) add(value []byte) {
	c.mixed = c.mixed || c.has && !bytes.Equal(c.value, value)
	if !c.has || string(c.value) == noValue {
		c.has, c.value = true, bytes.Clone(value)
	}
}

// join puts an entry into a contest for a field, together with all that it contests with already.
func (c *contest) join(e *entry, f field) {
	other := e.contests[f]
	switch other {
	case c:
		return
	case nil:
		e.contests[f] = c
		e.open++
		c.open++
		c.members = append(c.members, e)
		return
	}
	for _, m := range other.members {
		m.contests[f] = c
	}
	c.members = append(c.members, other.members...)
	c.open += other.open
	c.strict = c.strict || other.strict
	c.mixed = c.mixed || other.mixed
	if other.has {
		c.add(other.value)
	}
}

// maxContest is the largest number of entries in a contest. Any more are in doubt whatever they get.
const maxContest = 256

// contest notes that the next line of a field may belong to either of two entries.
func (g *grouper) contest(f field, strict bool, a, b *entry) {
	c := a.contests[f]
	if c != nil && len(c.members) >= maxContest || b.contests[f] != nil && len(b.contests[f].members) >= maxContest {
		a.doubt, b.doubt = true, true
		return
	}
	if c == nil {
		c = new(contest)
		c.join(a, f)
	}
	c.join(b, f)
	c.strict = c.strict || strict
}

// settle ends an entry. It is emitted once all its contests are over.
func (g *grouper) settle(e *entry) {
	if e.settled {
		return
	}
	e.settled = true
	for f, c := range e.contests {
		if c == nil {
			continue
		}
		if c.strict && e.stage < field(f) {
			c.add([]byte(noValue))
		}
		if c.open--; c.open == 0 {
			g.end(c, field(f))
		}
	}
	g.finish(e)
}

// end tells the members of a contest how it ended. One that has got no reply may be the one that was let in.
func (g *grouper) end(c *contest, f field) {
	for _, m := range c.members {
		m.contests[f] = nil
		m.open--
		m.doubt = m.doubt || c.mixed
		if f == replyField && c.mixed && !m.replied {
			m.replied = true
			m.values[f] = append(m.values[f][:0], c.value...)
		}
		g.finish(m)
	}
}

func (g *grouper) finish(e *entry) {
	if e.settled && e.open == 0 && !e.emitted {
		e.emitted = true
		g.emit(e)
		g.release(e)
	}
}

// release lets an entry be used again, unless another line is expected of it.
func (g *grouper) release(e *entry) {
	if e.emitted && !slices.Contains(g.replied, e) {
		g.free = append(g.free, e)
	}
}

// expire settles the entries of which no more lines are expected. The clock may have been set back meanwhile.
func (g *grouper) expire(now int64) {
	old := func(e *entry, wait int64) bool { return now-e.last > wait || e.last-now > replyWait }
	g.heads = slices.DeleteFunc(g.heads, func(e *entry) bool {
		if !old(e, headWait) {
			return false
		}
		g.settle(e)
		return true
	})
	n := 0
	for ; n < len(g.waiting) && old(g.waiting[n], replyWait); n++ {
		g.settle(g.waiting[n])
	}
	g.waiting = slices.Delete(g.waiting, 0, n)
	for i := 0; i < len(g.replied); i++ {
		if e := g.replied[i]; old(e, headWait) && (!e.again || old(e, replyWait)) {
			g.endAgain(i)
			i--
		}
	}
}

// closeOldest settles the entry that has waited longest.
func (g *grouper) closeOldest() {
	switch {
	case len(g.waiting) > 0:
		e := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		g.settle(e)
	case len(g.replied) > 0:
		g.endAgain(0)
	default:
		e := g.heads[0]
		g.heads = slices.Delete(g.heads, 0, 1)
		g.settle(e)
	}
}

// flush settles all entries, at the end of a log.
func (g *grouper) flush() {
	if g.hasReply {
		g.addReply(g.replyAt, otherField)
	}
	for len(g.waiting)+len(g.replied)+len(g.heads) > 0 {
		g.closeOldest()
	}
	g.current, g.whole = nil, false
}
