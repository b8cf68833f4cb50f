package limit

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

func prefix(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)
}

func TestCounterBounds(t *testing.T) {
	a, b, none := prefix(1), prefix(2), netip.Prefix{}
	for _, tt := range []struct {
		name         string
		max, maxFrom int
		used         []netip.Prefix
		from         netip.Prefix
		all, own     bool
	}{
		{"empty", 2, 1, nil, a, false, false},
		{"full of one network", 3, 2, []netip.Prefix{a, a}, a, false, true},
		{"full of another network", 3, 2, []netip.Prefix{a, a}, b, false, false},
		{"full of a network that contains it", 3, 2, []netip.Prefix{a, a}, netip.PrefixFrom(a.Addr(), 24), false, false},
		{"full in all", 3, 2, []netip.Prefix{a, a, b}, b, true, false},
		{"full in both", 3, 2, []netip.Prefix{a, a, b}, a, true, true},
		{"over the bounds", 1, 1, []netip.Prefix{a, a}, a, true, true},
		{"no network, with room", 3, 1, []netip.Prefix{none, none}, none, false, false},
		{"no network, full in all", 2, 1, []netip.Prefix{none, a}, none, true, false},
		{"no bound in all", 0, 2, []netip.Prefix{a, a, b}, b, false, false},
		{"no bound of one network", 4, 0, []netip.Prefix{a, a, a}, a, false, false},
		{"no bound", 0, 0, []netip.Prefix{a, a, none}, a, false, false},
	} {
		c := NewCounter(tt.max, tt.maxFrom)
		for _, from := range tt.used {
			c.Add(from)
		}
		if all, own := c.Full(tt.from); all != tt.all || own != tt.own {
			t.Errorf("%s: full in all %v, of one network %v; want %v, %v", tt.name, all, own, tt.all, tt.own)
		}
	}
}

// The counter is right after any sequence of calls. It removes networks with a count of 0, or clients that come and go
// would fill the memory.
func TestCounterForgets(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c := NewCounter(0, 0)
	used := make(map[netip.Prefix]int)
	var order []netip.Prefix
	check := func() {
		for from := range used {
			if from.IsValid() && c.From(from) != used[from] {
				t.Fatalf("%d of %v, want %d", c.From(from), from, used[from])
			}
		}
		if c.Len() != len(order) {
			t.Fatalf("%d in all, want %d", c.Len(), len(order))
		}
	}
	remove := func(i int) {
		from := order[i]
		c.Remove(from)
		used[from]--
		order[i] = order[len(order)-1]
		order = order[:len(order)-1]
		check()
	}
	for range 5000 {
		if len(order) > 0 && random.IntN(2) == 0 {
			remove(random.IntN(len(order)))
			continue
		}
		from := prefix(random.IntN(20))
		if random.IntN(10) == 0 {
			from = netip.Prefix{}
		}
		c.Add(from)
		used[from]++
		order = append(order, from)
		check()
	}
	for len(order) > 0 {
		remove(random.IntN(len(order)))
	}
	if len(c.from) != 0 || c.From(netip.Prefix{}) != 0 {
		t.Errorf("%d networks are remembered", len(c.from))
	}
}
