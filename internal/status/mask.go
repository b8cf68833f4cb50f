package status

import (
	"net/netip"
	"strings"
	"unicode/utf8"
)

const hidden = "…"

// Mask hides names and addresses of users, and the errors that may contain them.
func (s *Snapshot) Mask() {
	s.Masked = true
	for i := range s.Recent {
		f := &s.Recent[i]
		f.User = maskUser(f.User, f.Server != "" || f.Passdb != "")
		f.Client, f.Error = maskAddress(f.Client), ""
	}
	for i := range s.Throttle {
		h := &s.Throttle[i]
		switch user, address, pair := strings.Cut(h.Name, " from "); {
		case pair:
			h.Name = maskUser(user, true) + " from " + maskAddress(address)
		case h.Counter == "user":
			h.Name = maskUser(h.Name, true)
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
func maskUser(name string, listed bool) string {
	local, domain := name, ""
	if at := strings.LastIndexByte(name, '@'); at >= 0 {
		local, domain = name[:at], name[at:]
	}
	if !listed {
		domain = ""
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
