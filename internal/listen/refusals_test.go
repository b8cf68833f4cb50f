package listen

import (
	"net/netip"
	"testing"
	"time"
)

func TestRefusalsAreLoggedOnceAMinute(t *testing.T) {
	var r Refusals
	start := time.Unix(0, 0)
	for i, tt := range []struct {
		address byte
		at      time.Duration
		logged  bool
	}{
		{'a', 0, true},
		{'a', refusalInterval - 1, false},
		{'b', refusalInterval - 1, true},
		{'b', refusalInterval - 2, false}, // refused at the same time
		{'a', refusalInterval, true},
		{'b', refusalInterval, false},
		{'a', -1, true}, // a clock that was set back
	} {
		if got := r.First(address(int(tt.address)), start.Add(tt.at)); got != tt.logged {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

// address returns the i-th of many addresses.
func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})
}

func TestRefusalsAreBounded(t *testing.T) {
	var r Refusals
	start := time.Unix(0, 0)
	logged := 0
	for i := range 4 * maxRefused {
		if r.First(address(i), start.Add(time.Duration(i))) {
			logged++
		}
	}
	if logged != maxRefused || len(r.logged) != maxRefused {
		t.Errorf("%d addresses logged, %d remembered", logged, len(r.logged))
	}
	later := start.Add(2 * refusalInterval)
	if !r.First(address(1<<20), later) || r.First(address(1<<20), later) || !r.First(address(0), later) {
		t.Error("old addresses are not removed")
	}
}
