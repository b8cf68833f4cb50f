package config

import (
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/throttle"
)

func defaultThrottle() throttleSection {
	d := throttle.Defaults()
	return throttleSection{
		NetworkLimit: d.NetworkLimit, UserLimit: d.UserLimit, PairLimit: d.PairLimit,
		HalfLife:   text(d.HalfLife),
		IPv4Prefix: d.IPv4Prefix, IPv6Prefix: d.IPv6Prefix,
		Penalty: text(d.Penalty), MaxPenalty: text(d.MaxPenalty),
		MaxEntries: d.MaxEntries,
	}
}

func (l *loader) buildThrottle(f *file, s *throttleSection) *throttle.Config {
	key := func(name string) toml.Key { return toml.Key{"throttle", name} }
	before := len(l.problems)
	c := &throttle.Config{
		NetworkLimit: s.NetworkLimit, UserLimit: s.UserLimit, PairLimit: s.PairLimit,
		HalfLife:   l.duration(f, key("half_life"), s.HalfLife, time.Second, 365*24*time.Hour),
		IPv4Prefix: s.IPv4Prefix, IPv6Prefix: s.IPv6Prefix,
		TrustedNetworks: l.networks(f, key("trusted_networks"), s.TrustedNetworks),
		Penalty:         l.duration(f, key("penalty"), s.Penalty, 0, time.Hour),
		MaxPenalty:      l.duration(f, key("max_penalty"), s.MaxPenalty, 0, time.Hour),
		MaxEntries:      s.MaxEntries,
		Shared:          s.Shared,
		LogOnly:         s.LogOnly,
	}
	if err := c.Validate(); err != nil && len(l.problems) == before {
		l.problems.add(f, key(err.Key), "%s", err.Problem)
	}
	return c
}
