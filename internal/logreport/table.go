package logreport

import (
	"cmp"
	"slices"
	"strings"
)

// Limits of a table.
const (
	MaxRows    = 100_000
	MaxKey     = 256
	MaxReasons = 64
)

// table counts failed logins by a key.
type table struct {
	rows    map[string]*row
	limit   int // of rows
	reasons reasons
	evicted int // failed logins of rows that were evicted
	keys    int // of these rows; a key that came again counts again
}

// row has the failed logins of one key. Times are in microseconds since 1970.
type row struct {
	failed      int
	first, last int64
	byReason    []tally
}

type keyRow struct {
	key string
	*row
}

// tally is how often a reason has occurred.
type tally struct {
	reason int // index in reasons
	n      int
}

func newTable(limit int) *table { return &table{rows: make(map[string]*row), limit: limit} }

func (t *table) add(key, reason string, at int64) {
	if len(key) > MaxKey {
		key = strings.ToValidUTF8(key[:MaxKey], "") // which cuts no character
	}
	r := t.rows[key]
	if r == nil {
		if len(t.rows) >= t.limit {
			t.evict()
		}
		r = &row{first: at, last: at}
		t.rows[key] = r
	}
	r.failed++
	r.first, r.last = min(r.first, at), max(r.last, at)
	r.byReason = count(r.byReason, t.reasons.index(reason))
}

func count(list []tally, reason int) []tally {
	for i := range list {
		if list[i].reason == reason {
			list[i].n++
			return list
		}
	}
	return append(list, tally{reason, 1})
}

// evict removes the half of the rows that have the fewest failures.
func (t *table) evict() {
	for _, r := range t.sorted()[t.limit/2:] {
		t.evicted += r.failed
		t.keys++
		delete(t.rows, r.key)
	}
}

// sorted returns the rows, those with the most failures first, and of these the latest.
func (t *table) sorted() []keyRow {
	rows := make([]keyRow, 0, len(t.rows))
	for key, r := range t.rows {
		rows = append(rows, keyRow{key, r})
	}
	slices.SortFunc(rows, func(a, b keyRow) int {
		return cmp.Or(cmp.Compare(b.failed, a.failed), cmp.Compare(b.last, a.last), cmp.Compare(a.key, b.key))
	})
	return rows
}

// reasons has the texts of all reasons.
type reasons []string

const otherReason = "other"

func (r *reasons) index(reason string) int {
	if i := slices.Index(*r, reason); i >= 0 {
		return i
	}
	if len(*r) == MaxReasons-1 {
		reason = otherReason
	} else if len(*r) == MaxReasons {
		return MaxReasons - 1
	}
	*r = append(*r, reason)
	return len(*r) - 1
}

// sort sorts reasons, the most frequent one first.
func (r reasons) sort(list []tally) []tally {
	slices.SortFunc(list, func(a, b tally) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(r[a.reason], r[b.reason]))
	})
	return list
}
