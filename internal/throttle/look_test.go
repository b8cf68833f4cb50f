package throttle

import (
	"math"
	"testing"
	"time"
)

// After the time that Look returns the next login may be tried, and not before.
func TestLookWait(t *testing.T) {
	s := newScene(t, Defaults())
	guesses(10, home, bob)(s)
	distributed(20, bob)(s)
	held := s.throttle.Look(s.Context(), addr(home), bob, s.now)
	if len(held) != 2 || held[0].Counter != Pair || held[1].Counter != User || held[0].Limit != 10 || math.Round(held[1].Count) != 30 {
		t.Fatalf("held by %+v, want pair and user", held)
	}
	wait := max(held[0].Wait, held[1].Wait)
	s.now = s.now.Add(wait - time.Second)
	if s.check(home, bob).Allowed {
		t.Errorf("allowed a second before %v", wait)
	}
	s.now = s.now.Add(time.Second + time.Nanosecond)
	allowed(home, bob)(s)
}

// Look does not count as a use: what nobody tries any more is evicted first.
func TestLookIsNoUse(t *testing.T) {
	c := Defaults()
	c.PairLimit, c.MaxEntries = 1, 2
	s := newScene(t, c)
	guesses(1, home, bob)(s)
	guesses(1, home, alice)(s)
	if held := s.throttle.Look(s.Context(), addr(home), bob, s.now); len(held) != 1 {
		t.Fatalf("held by %+v", held)
	}
	guesses(1, home, "carol@domain1.com")(s)
	if held := s.throttle.Look(s.Context(), addr(home), bob, s.now); len(held) != 0 {
		t.Errorf("held by %+v, which should have been evicted", held)
	}
}
