package access

import (
	"errors"
	"net/netip"
)

var errNet = errors.New(`want an address or a network, such as "192.0.2.7" or "192.0.2.0/24"`)

// ParseNet reads an address or a network, an entry of allow_nets or deny_nets. The error does not contain the entry.
func ParseNet(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, errNet
	}
	return p.Masked(), nil
}
