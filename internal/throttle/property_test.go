package throttle

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestGuessesInADay tests the table in the package comment with an attacker who tries a password every
// second, from one network or from many.
func TestGuessesInADay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		counter Counter
		at, who func(i int) string
		most    int
	}{
		{Pair, func(int) string { return home }, func(int) string { return bob }, 176},
		{User, host, func(int) string { return bob }, 529},
		{Network, func(int) string { return home }, user, 1762},
	} {
		t.Run(string(tt.counter), func(t *testing.T) {
			t.Parallel()
			inEachStore(t, func(t *testing.T, st store) {
				if testing.Short() && st.redis != nil && tt.counter != Pair {
					t.Skip("takes seconds")
				}
				s := st.scene(t, Defaults())
				for end := s.now.Add(24 * time.Hour); s.now.Before(end); {
					i := s.guesses
					if s.guess(tt.at(i), tt.who(i)) {
						s.now = s.now.Add(time.Second)
						continue
					}
					// What is refused until the end of the wait changes nothing.
					held := s.throttle.Look(t.Context(), addr(tt.at(i)), tt.who(i), s.now)
					s.now = s.now.Add(max(time.Second, held[0].Wait.Truncate(time.Second)))
				}
				if s.guesses > tt.most || s.guesses < tt.most*99/100 {
					t.Errorf("%d passwords were tried, want at most %d and not much less", s.guesses, tt.most)
				}
			})
		})
	}
}

// TestNetworkIsTheSumOfItsPairs tests that the count of a network is always the sum of the counts of its
// pairs, for random failures and successes at random times.
func TestNetworkIsTheSumOfItsPairs(t *testing.T) {
	t.Parallel()
	c := Defaults()
	c.LogOnly = true // nothing is refused
	inEachStore(t, func(t *testing.T, st store) { testSum(t, st.scene(t, c), st.rounds) })
}

func testSum(t *testing.T, s *scene, rounds int) {
	random := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		s.now = s.now.Add(time.Duration(random.Int64N(int64(time.Minute))))
		from, who := host(random.IntN(5)), user(random.IntN(5))
		switch random.IntN(10) {
		case 0:
			s.throttle.Succeed(s.Context(), addr(from), who, s.now)
		case 1, 2:
			s.fail(from, who, "old")
		default:
			s.guess(from, who)
		}
		network, pairs := s.counts(from)
		if math.Abs(network-pairs) > 1e-6 {
			t.Fatalf("at %v: the network has the count %v, its pairs have %v", s.now, network, pairs)
		}
	}
}

// counts returns the count of a network, and the sum of the counts of its pairs.
func (s *scene) counts(from string) (network, pairs float64) {
	at := s.now.Sub(s.throttle.start)
	prefix, _ := s.throttle.config.Network(addr(from))
	settled := func(t *table, key uint64) float64 {
		if e, ok := t.Peek(key); ok {
			return e.settle(at, DefaultHalfLife)
		}
		return 0
	}
	for i := range 5 {
		k := s.throttle.keys(prefix, user(i))
		s.throttle.refresh(s.Context(), k, s.now)
		network = settled(s.throttle.tables.networks, k.network)
		pairs += settled(s.throttle.tables.pairs, k.pair)
	}
	return network, pairs
}

// FuzzEntry tests that a count is never negative and never over its bound, that it decays with time, and that
// only a failure increases it.
func FuzzEntry(f *testing.F) {
	moment := func(times ...int64) (data []byte) {
		for _, at := range times {
			data = binary.LittleEndian.AppendUint64(data, uint64(at))
		}
		return data
	}
	hour := int64(time.Hour)
	f.Add(hour, uint16(10), moment(0, 1, 2, hour, 2*hour))
	f.Add(hour, uint16(1), moment(hour, 0, -hour, math.MinInt64, math.MaxInt64, math.MinInt64, 0))
	f.Add(int64(minHalfLife), uint16(0), moment(math.MaxInt64, math.MinInt64, -1))
	f.Add(int64(maxHalfLife), uint16(65535), moment(0, math.MaxInt64, 0, 0, 0))
	f.Add(int64(1000000079), uint16(0), []byte(" 00)accc0c\x93\x93Xdcc")) // a count of 1e-320
	f.Fuzz(func(t *testing.T, halfLife int64, limit uint16, data []byte) {
		half := min(max(time.Duration(halfLife), minHalfLife), maxHalfLife)
		var e entry
		for ; len(data) >= 8; data = data[8:] {
			at := time.Duration(binary.LittleEndian.Uint64(data))
			checkSettle(t, &e, at, half)
			before := e.count
			e.add(float64(limit))
			if bound := maxOver * (max(float64(limit), 1) - margin); e.count > bound || e.count < before || e.count > before+1 {
				t.Fatalf("a failure changed the count from %v to %v", before, e.count)
			}
		}
	})
}

func checkSettle(t *testing.T, e *entry, at, half time.Duration) {
	t.Helper()
	old := *e
	n := e.settle(at, half)
	if !(n >= 0 && n <= old.count) { // also NaN
		t.Fatalf("a count of %v at %v became %v at %v", old.count, old.last, n, at)
	}
	if at <= old.last && n != old.count {
		t.Fatalf("a count of %v decayed to %v while the clock went back from %v to %v", old.count, n, old.last, at)
	}
	if again := e.settle(at, half); again != n {
		t.Fatalf("settle returned %v, then %v at the same time", n, again)
	}
	if float64(at)-float64(e.last) < -float64(slack) {
		t.Fatalf("the entry is at %v, the clock at %v", e.last, at)
	}
	later := *e // a float64 is not precise for nanoseconds in centuries, nor for the smallest numbers
	if at < math.MaxInt64-maxHalfLife && later.settle(max(at, e.last)+half, half) > n/2*(1+1e-5)+1e-300 {
		t.Fatalf("a count of %v became %v after a half-life, more than half", n, later.count)
	}
}

// FuzzPenalty tests that a penalty is within its bounds, and that a larger count never has a shorter one.
func FuzzPenalty(f *testing.F) {
	f.Add(int64(DefaultPenalty), int64(DefaultMaxPenalty), 0.1, 0.9)
	f.Add(int64(0), int64(0), 0.0, 1e300)
	f.Add(int64(1), int64(longestWait), 1.0, 16.0)
	f.Fuzz(func(t *testing.T, first, last int64, less, more float64) {
		c := Defaults()
		c.Penalty, c.MaxPenalty = time.Duration(first), time.Duration(last)
		if c.Validate() != nil || !(less >= 0 && less <= more) {
			t.Skip()
		}
		short, long := c.penalty(less), c.penalty(more)
		if short < c.Penalty || short > long || long > c.MaxPenalty {
			t.Errorf("penalty from %v to %v: %v at %v, %v at %v", c.Penalty, c.MaxPenalty, short, less, long, more)
		}
	})
}
