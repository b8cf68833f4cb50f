package ldapdb

import (
	"slices"
	"testing"
	"time"
)

// TestPaceIsFinerThanTimers tests that a refusal without a comparison takes as long as a fast comparison.
func TestPaceIsFinerThanTimers(t *testing.T) {
	const fast, took = 200 * time.Microsecond, 50 * time.Microsecond
	p := newPace()
	p.compared(false, fast)
	var waits []time.Duration
	for range 100 {
		began := time.Now()
		p.wait(t.Context(), "nobody@x.org", took)
		waits = append(waits, time.Since(began))
	}
	slices.Sort(waits)
	if median := waits[len(waits)/2]; waits[0] < fast-took || median > fast-took+tick/2 {
		t.Errorf("waited %v and in the median %v, want %v", waits[0], median, fast-took)
	}
}
