package logreport

import (
	"maps"
	"slices"
	"time"
)

// MaxMinutes is the largest number of steps of a Timeline.
const MaxMinutes = 100_000

// Timeline counts events by minute. When these are too many, it counts by hour, then by day, and so on.
type Timeline struct {
	zone   *time.Location
	step   int64         // seconds
	counts map[int64]int // by steps since 1970, in local time
	limit  int
}

// Bucket has the events of one step of a plot.
type Bucket struct {
	From  string `json:"from"` // local time
	Count int    `json:"count"`
}

const (
	minute = int64(60)
	hour   = 60 * minute
	day    = 24 * hour
)

func newTimeline(zone *time.Location) *Timeline {
	return &Timeline{zone: zone, step: minute, counts: make(map[int64]int), limit: MaxMinutes}
}

func (t *Timeline) add(at time.Time) {
	_, offset := at.In(t.zone).Zone()
	n := floor(at.Unix()+int64(offset), t.step)
	if _, ok := t.counts[n]; !ok && len(t.counts) >= t.limit {
		t.coarsen()
		t.add(at)
		return
	}
	t.counts[n]++
}

// coarsen joins minutes to hours, hours to days, and days to longer steps.
func (t *Timeline) coarsen() {
	step := 28 * t.step
	switch t.step {
	case minute:
		step = hour
	case hour:
		step = day
	}
	counts := make(map[int64]int)
	for n, count := range t.counts {
		counts[floor(n*t.step, step)] += count
	}
	t.step, t.counts = step, counts
}

func floor(a, b int64) int64 {
	if a < 0 {
		a -= b - 1
	}
	return a / b
}

// Buckets returns the counts from the first event to the last one, in at most most steps, and how long one is. There are none
// without events.
func (t *Timeline) Buckets(most int) (list []Bucket, step time.Duration) {
	if len(t.counts) == 0 {
		return nil, 0
	}
	keys := slices.Sorted(maps.Keys(t.counts))
	first, last := keys[0]*t.step, keys[len(keys)-1]*t.step
	width := stepFor(first, last, max(most, 1), t.step)
	list = make([]Bucket, floor(last, width)-floor(first, width)+1)
	for i := range list {
		list[i].From = time.Unix((floor(first, width)+int64(i))*width, 0).UTC().Format("2006-01-02T15:04")
	}
	for n, count := range t.counts {
		list[floor(n*t.step, width)-floor(first, width)].Count += count
	}
	return list, time.Duration(width) * time.Second
}

// stepFor returns the shortest usual step by which first and last are not more than most steps apart.
func stepFor(first, last int64, most int, least int64) int64 {
	steps := []int64{minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 28 * day}
	for _, step := range steps {
		if step >= least && floor(last, step)-floor(first, step) < int64(most) {
			return step
		}
	}
	step := max(steps[len(steps)-1], least)
	for floor(last, step)-floor(first, step) >= int64(most) {
		step *= 2
	}
	return step
}
