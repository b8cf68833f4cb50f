package throttle

import (
	"strconv"
	"strings"
	"time"
)

// reply is what a script has returned.
type reply struct {
	clock int64         // Redis's, in microseconds
	now   time.Duration // the same time since the start of the throttle
}

// mostEver is a count that none exceeds with any limit.
const mostEver = 1e8

// replyAt returns the reply of a script that ran at a time, by the clock that it returned.
func (t *Throttle) replyAt(clock any, now time.Time) reply {
	r := reply{now: now.Sub(t.start)}
	r.clock, _ = clock.(int64)
	return r
}

// entry reads an entry from Redis, or returns nil if there is none, or something else. The keys are those of a pair.
func (r reply) entry(value any, pair keys) *entry {
	text, _ := value.(string)
	fields := strings.Split(text, ",")
	if len(fields) != 6 {
		return nil
	}
	count, err := strconv.ParseFloat(fields[0], 64)
	last, bad := strconv.ParseInt(fields[1], 10, 64)
	if err != nil || bad != nil || !(count >= 0 && count <= mostEver) { // not a number is neither
		return nil
	}
	e := &entry{count: count, last: r.since(last), network: pair.network, user: pair.user, seen: count, seenAt: last}
	for i := range passwords {
		if at := 4 * i; at+4 <= len(fields[2]) {
			tag, _ := strconv.ParseUint(fields[2][at:at+4], 16, 16)
			e.tags[i] = uint16(tag)
		}
	}
	return e
}

// since converts a time of Redis to one since the start of the throttle.
func (r reply) since(at int64) time.Duration {
	return r.now - time.Duration(r.clock-at)*time.Microsecond
}

// adopt replaces an entry by the one in Redis, which is nil if there is none. An answer that another has overtaken is
// older than what this machine has seen, and is not used.
func (t *Throttle) adopt(c Counter, key uint64, e *entry) {
	table := t.tables.of(c)
	if e == nil {
		table.Remove(key)
		return
	}
	if old, ok := table.Get(key); ok && e.seenAt < old.seenAt && e.seenAt > old.seenAt-slack.Microseconds() {
		return
	}
	table.Add(key, e)
}

// adoptKnown replaces the known networks of a user by those in Redis: "time,networks".
func (t *Throttle) adoptKnown(user uint64, r reply, value any) {
	text, _ := value.(string)
	written, names, ok := strings.Cut(text, ",")
	if !ok {
		t.tables.known.Remove(user)
		return
	}
	at, _ := strconv.ParseInt(written, 10, 64)
	n := &known{written: at, fresh: time.Duration(r.clock-at)*time.Microsecond < knownRefresh}
	for i := range networks {
		if from := nameWidth * i; from+nameWidth <= len(names) {
			n.networks[i] = keyOf(names[from : from+nameWidth])
		}
	}
	t.tables.known.Add(user, n)
}

// tagsText returns the tags of an entry as in Redis.
func (e *entry) tagsText() string {
	var text strings.Builder
	for _, tag := range e.tags {
		if tag != 0 {
			text.WriteString(tagText(tag))
		}
	}
	return text.String()
}

// names returns known networks as in Redis.
func (n *known) names() string {
	var text strings.Builder
	for _, network := range n.networks {
		if network != 0 {
			text.WriteString(name(network))
		}
	}
	return text.String()
}
