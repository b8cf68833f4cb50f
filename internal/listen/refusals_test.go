package listen

import (
	"net/netip"
	"testing"
	"time"
)

func TestRefusalsAreToldOnceAMinute(t *testing.T) {
	var r Refusals
	start := time.Unix(0, 0)
	for i, tt := range []struct {
		address byte
		at      time.Duration
		told    bool
	}{
		{'a', 0, true},
		{'a', refusalInterval - 1, false},
		{'b', refusalInterval - 1, true},
		{'b', refusalInterval - 2, false}, // refused at the same time
		{'a', refusalInterval, true},
		{'b', refusalInterval, false},
		{'a', -1, true}, // a clock that was set back
	} {
		if got := r.First(address(int(tt.address)), start.Add(tt.at)); got != tt.told {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

// address is one of many.
func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})
}

func TestRefusalsAreBounded(t *testing.T) {
	var r Refusals
	start := time.Unix(0, 0)
	told := 0
	for i := range 4 * maxRefused {
		if r.First(address(i), start.Add(time.Duration(i))) {
			told++
		}
	}
	if told != maxRefused || len(r.logged) != maxRefused {
		t.Errorf("told of %d addresses, %d remembered", told, len(r.logged))
	}
	later := start.Add(2 * refusalInterval)
	if !r.First(address(1<<20), later) || r.First(address(1<<20), later) || !r.First(address(0), later) {
		t.Error("old ones make no room")
	}
}
