package route

import (
	"net/netip"
	"slices"
	"sync/atomic"
)

// host is what the resolver knows of one host.
type host struct {
	addrs     []netip.Addr // the preferred kind first; replaced, never changed
	preferred int          // how many of them take turns
	turn      atomic.Uint32

	literal bool // an address itself
	watched bool // of the configuration in force
}

func newHost(name string) *host {
	h := &host{}
	if a, err := netip.ParseAddr(name); err == nil {
		h.literal = true
		h.set([]netip.Addr{a}, false)
	}
	return h
}

// set takes new addresses; h keeps none of its argument.
func (h *host) set(addrs []netip.Addr, preferIPv6 bool) {
	kinds := make([][]netip.Addr, 2)
	for _, a := range addrs {
		kind := 0
		if a.Is6() != preferIPv6 {
			kind = 1
		}
		kinds[kind] = append(kinds[kind], a)
	}
	h.addrs = slices.Concat(kinds...)
	if h.preferred = len(kinds[0]); h.preferred == 0 {
		h.preferred = len(h.addrs)
	}
}

// next is the address whose turn it is.
func (h *host) next() (netip.Addr, bool) {
	if len(h.addrs) == 0 {
		return netip.Addr{}, false
	}
	if h.preferred == 1 {
		return h.addrs[0], true
	}
	return h.addrs[(h.turn.Add(1)-1)%uint32(h.preferred)], true
}

// others are the addresses to try after first: the others of its kind in turn, then
// those of the other kind.
func (h *host) others(first netip.Addr) []netip.Addr {
	i := slices.Index(h.addrs, first)
	if i < 0 || i >= h.preferred { // they have changed meanwhile
		return slices.DeleteFunc(slices.Clone(h.addrs), func(a netip.Addr) bool { return a == first })
	}
	return slices.Concat(h.addrs[i+1:h.preferred], h.addrs[:i], h.addrs[h.preferred:])
}

// usable are the addresses that nginx can connect to, as netip writes IPv4, each
// once. A name service that blocks names answers with 0.0.0.0.
func usable(addrs []netip.Addr) []netip.Addr {
	var list []netip.Addr
	for _, a := range addrs {
		a = a.Unmap()
		ok := a.IsValid() && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast()
		if ok && len(list) < MaxAddrs && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}
