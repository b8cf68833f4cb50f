package route

import (
	"net/netip"
	"slices"
	"sync/atomic"
)

// host is what the resolver knows about one host.
type host struct {
	addrs     []netip.Addr // the preferred kind first; replaced, never changed
	preferred int          // how many of them are used in turn
	turn      atomic.Uint32

	literal bool // the host is an address itself
	watched bool // the host is in the present configuration
}

func newHost(name string) *host {
	h := &host{}
	if a, err := netip.ParseAddr(name); err == nil {
		h.literal = true
		h.set([]netip.Addr{a}, false)
	}
	return h
}

// set replaces the addresses. It does not keep its argument.
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

// next returns the next address in turn.
func (h *host) next() (netip.Addr, bool) {
	if len(h.addrs) == 0 {
		return netip.Addr{}, false
	}
	if h.preferred == 1 {
		return h.addrs[0], true
	}
	return h.addrs[(h.turn.Add(1)-1)%uint32(h.preferred)], true
}

// others returns the addresses to try after first: the others of its kind in turn, then the
// other kind.
func (h *host) others(first netip.Addr) []netip.Addr {
	i := slices.Index(h.addrs, first)
	if i < 0 || i >= h.preferred { // the addresses have changed meanwhile
		return slices.DeleteFunc(slices.Clone(h.addrs), func(a netip.Addr) bool { return a == first })
	}
	return slices.Concat(h.addrs[i+1:h.preferred], h.addrs[:i], h.addrs[h.preferred:])
}

// usable returns the addresses that nginx can connect to, without duplicates. IPv4 addresses
// that are mapped into IPv6 are unmapped. A DNS server that blocks names answers with 0.0.0.0.
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
