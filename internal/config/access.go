package config

import (
	"net/netip"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/access"
)

// buildAccess reads the rules of a user or a domain. An account that has expired is only
// a warning, because the administrator may have meant it.
func (l *loader) buildAccess(f *file, key toml.Key, s *accessSection) access.Rules {
	l.checkProtocols(f, append(key, "protocols"), s.Protocols)
	for name, list := range map[string][]string{"protocols": s.Protocols, "allow_nets": s.AllowNets} {
		if list != nil && len(list) == 0 {
			l.problems.add(f, append(key, name), "is empty: remove this key, or set nologin = true to close the account")
		}
	}
	if s.Reason != "" && s.NoLogin == nil {
		l.warn(f, append(key, "reason"), "has no effect without nologin: set nologin = true, or remove the reason")
	}
	if now := time.Now(); !s.Expires.IsZero() && s.Expires.Before(now) {
		l.warn(f, append(key, "expires"), "is in the past, so every login is refused")
	} else if !s.Expires.IsZero() && (l.expires.IsZero() || s.Expires.Before(l.expires)) {
		l.expires = s.Expires
	}
	return access.Rules{
		NoLogin:    s.NoLogin,
		Reason:     s.Reason,
		Expires:    s.Expires,
		Protocols:  s.Protocols,
		RequireTLS: s.RequireTLS,
		AllowNets:  l.networks(f, append(key, "allow_nets"), s.AllowNets),
		DenyNets:   l.denied(f, append(key, "deny_nets"), s.DenyNets),
	}
}

// denied reads deny_nets. An empty list is not nil, because it replaces the networks of the domain or of [auth].
func (l *loader) denied(f *file, key toml.Key, list []string) []netip.Prefix {
	if list != nil && len(list) == 0 {
		return []netip.Prefix{}
	}
	return l.networks(f, key, list)
}

func (l *loader) checkProtocols(f *file, key toml.Key, protocols []string) {
	for i, p := range protocols {
		if known := choices["users.NAME.protocols"]; !oneOf(p, known...) {
			l.problems.add(f, key, "entry %d: want one of %s", i+1, quoteAll(known))
		}
	}
}

// warn records a probable mistake, which does not keep the configuration from loading.
func (l *loader) warn(f *file, key toml.Key, what string, args ...any) {
	l.warnings.add(f, key, what, args...)
}
