// Package access holds the rules that can refuse a login although its password is right.
// They restrict the networks, the protocols and the time of a login, and can require TLS.
//
// # Where a rule comes from
//
// A rule can be set for a user, for a domain, and for everybody in [auth]. For each key
// only the innermost setting applies: a user's allow_nets replaces the domain's and does
// not add to it.
//
//	key          user  domain  [auth]
//	nologin      x     x               refuse all logins; reason is for the log
//	expires      x     x               refuse all logins from this time on
//	protocols    x     x               allow only these protocols
//	require_tls  x     x       x       allow only connections with TLS
//	deny_nets    x     x       x       refuse clients in these networks, also if allow_nets has them
//	allow_nets   x     x       x       allow only clients in these networks
//
// The rules are applied in this order. The password is verified even if a rule refuses the
// login, so that the refusal takes as long as any other and tells the client nothing.
package access

import (
	"net/netip"
	"slices"
	"time"
)

// Rules are the rules of one user, one domain or [auth]. A nil or zero field is not set.
type Rules struct {
	NoLogin    *bool
	Reason     string // why NoLogin is set; goes to the log
	Expires    time.Time
	Protocols  []string // empty but not nil: no protocol is allowed
	RequireTLS *bool
	DenyNets   []netip.Prefix // empty but not nil: no network is denied
	AllowNets  []netip.Prefix // empty but not nil: no network is allowed
}

// Client describes a login attempt, as far as the rules need it.
type Client struct {
	IP       string // Client-IP as nginx sent it
	Protocol string // "imap", "pop3" or "smtp"
	TLS      bool
	Now      time.Time
}

// Under returns the rules with each field that they do not set taken from outer.
func (r Rules) Under(outer Rules) Rules {
	if r.NoLogin == nil {
		r.NoLogin, r.Reason = outer.NoLogin, outer.Reason
	}
	if r.Expires.IsZero() {
		r.Expires = outer.Expires
	}
	if r.Protocols == nil {
		r.Protocols = outer.Protocols
	}
	if r.RequireTLS == nil {
		r.RequireTLS = outer.RequireTLS
	}
	if r.DenyNets == nil {
		r.DenyNets = outer.DenyNets
	}
	if r.AllowNets == nil {
		r.AllowNets = outer.AllowNets
	}
	return r
}

// Refusal returns a description of the first rule that refuses the client. The description goes
// to the log. It is empty if no rule refuses the client. Disabled reports whether the rule closes
// the account. Otherwise the user may still log in from elsewhere, or by another protocol.
func (r Rules) Refusal(c Client) (why string, disabled bool) {
	switch {
	case r.NoLogin != nil && *r.NoLogin && r.Reason != "":
		return "nologin: " + r.Reason, true
	case r.NoLogin != nil && *r.NoLogin:
		return "nologin", true
	case !r.Expires.IsZero() && !c.Now.Before(r.Expires):
		return "expired on " + r.Expires.Format(time.RFC3339), true
	case r.Protocols != nil && !slices.Contains(r.Protocols, c.Protocol):
		return "protocol is not in protocols", false
	case r.RequireTLS != nil && *r.RequireTLS && !c.TLS:
		return "require_tls is set and the client did not use TLS", false
	}
	return r.refusalOfNet(c.IP), false
}

// refusalOfNet describes the rule that refuses the client's network. A client without an IP address is in no network that
// is allowed, and whether it is in one that is denied is not known.
func (r Rules) refusalOfNet(ip string) string {
	addr, err := netip.ParseAddr(ip)
	addr = addr.Unmap().WithZone("")
	has := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case len(r.DenyNets) > 0 && err != nil:
		return "client has no IP address that deny_nets could be compared with"
	case slices.ContainsFunc(r.DenyNets, has):
		return "client is in deny_nets"
	case r.AllowNets != nil && !slices.ContainsFunc(r.AllowNets, has):
		return "client is not in allow_nets"
	}
	return ""
}
