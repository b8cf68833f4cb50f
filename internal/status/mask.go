package status

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

const hidden = "…"

// Mask hides names and addresses of users, and the errors that may contain them. The function reports whether a domain is
// a configured one.
func (s *Snapshot) Mask(listed func(domain string) bool) {
	s.Masked = true
	for i := range s.Recent {
		f := &s.Recent[i]
		f.User = maskUser(f.User, listed)
		f.Client, f.Error = maskAddress(f.Client), ""
	}
	for i := range s.Throttle {
		h := &s.Throttle[i]
		switch user, address, pair := strings.Cut(h.Name, " from "); {
		case pair:
			h.Name = maskUser(user, listed) + " from " + maskAddress(address)
		case h.Counter == "user":
			h.Name = maskUser(h.Name, listed)
		default:
			h.Name = maskAddress(h.Name)
		}
	}
	for i := range s.Passdbs { // a search that took too long names the user
		hide(&s.Passdbs[i].LastError)
	}
	hide(&s.Reloads.LastError) // a wrong key is named with its user
}

// hide replaces an error that may contain a name.
func hide(text *string) {
	if *text != "" {
		*text = "masked: see the service's messages"
	}
}

// maskUser leaves the first character of a name, and its domain if that is a configured one.
func maskUser(name string, listed func(domain string) bool) string {
	local, domain := name, ""
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		local = name[:at]
		if listed(name[at+1:]) {
			domain = name[at:]
		}
	}
	r, n := utf8.DecodeRuneInString(local)
	if r == utf8.RuneError || r < ' ' {
		n = 0
	}
	return local[:n] + hidden + domain
}

// maskAddress leaves the network of an address or a prefix: 192.0.2.x, or 2001:db8:1:x.
func maskAddress(address string) string {
	bare, _, _ := strings.Cut(address, "/")
	a, err := netip.ParseAddr(bare)
	if err != nil {
		return hidden
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		text := a.String()
		return text[:strings.LastIndexByte(text, '.')] + ".x"
	}
	p, err := a.Prefix(48)
	if err != nil {
		return hidden
	}
	return strings.TrimSuffix(p.Addr().String(), "::") + ":x"
}
