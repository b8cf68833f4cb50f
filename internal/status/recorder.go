package status

import (
	"slices"
	"strings"
	"sync"
	"time"

	"mailauthd/internal/authlog"
)

// Limits of a [Recorder].
const (
	Seconds   = 61        // the last minute, and the present second
	Minutes   = 24*60 + 1 // the last day, and the present minute
	MaxRecent = 50
	MaxName   = 128
	MaxError  = 256
)

// outcomes and reasons are what is counted by itself. An unknown value counts as the last one.
var (
	outcomes = [...]string{"ok", "reject", authlog.TempFail}
	reasons  = [...]authlog.Reason{"", authlog.PasswordMismatch, authlog.UserUnknown, authlog.UserDisabled,
		authlog.Policy, authlog.SchemeNotAvailable, authlog.Script, authlog.InternalFailure}
)

// counts are the figures of one interval, or of several.
type counts struct {
	outcomes  [len(outcomes)]uint32
	reasons   [len(reasons)]uint32
	throttled uint32
	cached    uint32
	times     [steps]uint32 // by the time that a login took
	max       time.Duration
}

// interval is a second or a minute.
type interval struct {
	at int64 // its number since 1970
	counts
}

// Recorder counts logins. It is safe for concurrent use.
type Recorder struct {
	mu      sync.Mutex
	seconds [Seconds]interval
	minutes [Minutes]interval
	recent  [MaxRecent]Failure // a ring
	failed  int                // logins that were put there
}

// Record counts a login.
func (r *Recorder) Record(e *authlog.Event) {
	second := e.End.Unix()
	o, why := index(outcomes[:], e.Outcome), index(reasons[:], e.Reason)
	took := max(0, e.End.Sub(e.Start))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range []*counts{of(r.seconds[:], second), of(r.minutes[:], second/60)} {
		c.outcomes[o]++
		c.reasons[why]++
		if e.Throttle != "" {
			c.throttled++
		}
		if e.Cache != "" {
			c.cached++
		}
		c.times[step(took)]++
		c.max = max(c.max, took)
	}
	if e.Outcome != outcomes[0] {
		r.recent[r.failed%MaxRecent] = newFailure(e)
		r.failed++
	}
}

// index returns where a value is in a list, or the last index.
func index[T comparable](list []T, value T) int {
	if i := slices.Index(list, value); i >= 0 {
		return i
	}
	return len(list) - 1
}

// of returns the counts of an interval. They take the place of those that are older than the ring is long.
func of(ring []interval, at int64) *counts {
	i := &ring[at%int64(len(ring))]
	if i.at != at {
		*i = interval{at: at}
	}
	return &i.counts
}

func (c *counts) add(d *counts) {
	for i := range d.outcomes {
		c.outcomes[i] += d.outcomes[i]
	}
	for i := range d.reasons {
		c.reasons[i] += d.reasons[i]
	}
	for i := range d.times {
		c.times[i] += d.times[i]
	}
	c.throttled += d.throttled
	c.cached += d.cached
	c.max = max(c.max, d.max)
}

func (c *counts) total() (n uint32) {
	for _, o := range c.outcomes {
		n += o
	}
	return n
}

// since adds up the intervals from the first to the last one.
func since(ring []interval, first, last int64) (c counts) {
	for i := range ring {
		if at := ring[i].at; at >= first && at <= last {
			c.add(&ring[i].counts)
		}
	}
	return c
}

// Periods returns the figures of the last minute, hour and day.
func (r *Recorder) Periods(now time.Time) []Period {
	second := now.Unix()
	minute := second / 60
	r.mu.Lock()
	defer r.mu.Unlock()
	return []Period{
		since(r.seconds[:], second-60, second).period("minute"),
		since(r.minutes[:], minute-60, minute).period("hour"),
		since(r.minutes[:], minute-24*60, minute).period("day"),
	}
}

// Plot returns the figures of the last minutes, with those that have none. The last one is the present minute.
func (r *Recorder) Plot(now time.Time, minutes int) []Minute {
	last := now.Unix() / 60
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Minute, 0, minutes)
	for at := last - int64(minutes) + 1; at <= last; at++ {
		var c counts
		if i := &r.minutes[at%Minutes]; i.at == at {
			c = i.counts
		}
		list = append(list, Minute{
			Time: at * 60, OK: c.outcomes[0], Reject: c.outcomes[1], TempFail: c.outcomes[2],
			Median: c.quantile(0.5), P95: c.quantile(0.95),
		})
	}
	return list
}

// Recent returns the last logins that failed, the newest first.
func (r *Recorder) Recent() []Failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Failure, 0, MaxRecent)
	for i := r.failed - 1; i >= 0 && i >= r.failed-MaxRecent; i-- {
		list = append(list, r.recent[i%MaxRecent])
	}
	return list
}

func newFailure(e *authlog.Event) Failure {
	return Failure{
		Time: e.End.Unix(), User: cut(e.User, MaxName), Client: cut(e.ClientIP, MaxName),
		Protocol: cut(e.Protocol, MaxName), Method: cut(e.Method, MaxName),
		Outcome: e.Outcome, Reason: string(e.Reason), Server: e.Server, Passdb: e.Passdb, Throttle: e.Throttle,
		Error: cut(e.Error, MaxError), Took: e.End.Sub(e.Start).Seconds(),
	}
}

// cut returns a copy, so that the whole request is not kept with it.
func cut(s string, most int) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return strings.Clone(s)
}
