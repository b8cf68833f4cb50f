// Package access says who may log in when the password is right: from where, by which
// protocol, with or without TLS, until when.
//
// # Where a rule comes from
//
// A rule can stand at a user, at a domain, and for all in [auth]. Of each key the
// innermost one that is set counts, alone: a user's allow_nets replaces the domain's,
// it does not add to it.
//
//	key          user  domain  [auth]
//	nologin      x     x               nobody logs in; reason is for the log
//	expires      x     x               from this time on, nobody
//	protocols    x     x               only by these
//	require_tls  x     x       x       only by TLS
//	allow_nets   x     x       x       only from these networks
//
// They are looked at in this order, and after the password: a refusal by rule takes as
// long as any other, and tells the client nothing.
package access

import (
	"net/netip"
	"slices"
	"time"
)

// Rules are those of one place. A nil or zero field is not set.
type Rules struct {
	NoLogin    *bool
	Reason     string // why NoLogin, for the log
	Expires    time.Time
	Protocols  []string // nil: not set
	RequireTLS *bool
	AllowNets  []netip.Prefix // nil: not set
}

// Client is what a login is judged by.
type Client struct {
	IP       string // Client-IP as nginx sent it
	Protocol string
	TLS      bool
	Now      time.Time
}

// Under returns the rules with what they do not set taken from those around them.
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
	if r.AllowNets == nil {
		r.AllowNets = outer.AllowNets
	}
	return r
}

// Refusal says which rule refuses a client, for the log; empty if none does. Disabled
// is true if the account as such is closed, and false if this way in is.
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
		return "require_tls, and the client came without", false
	case r.AllowNets != nil && !r.allows(c.IP):
		return "client is not in allow_nets", false
	}
	return "", false
}

// allows is false for what is no address.
func (r Rules) allows(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(r.AllowNets, func(p netip.Prefix) bool { return p.Contains(addr) })
}
