package throttle

import (
	"fmt"
	"math"
	"net/netip"
	"time"
)

// Config is the configuration of a [Throttle]. Start from [Defaults].
type Config struct {
	NetworkLimit, UserLimit, PairLimit int           // the largest number of new wrong passwords; 0: no limit
	HalfLife                           time.Duration // how long a count takes to decay by half

	IPv4Prefix, IPv6Prefix int            // the number of bits of an address that identify its network
	TrustedNetworks        []netip.Prefix // always allowed and never counted

	Penalty, MaxPenalty time.Duration // how long a refusal waits, at a count of 0 and at the limit; Penalty 0: no wait
	MaxEntries          int           // the largest number of entries of each table
	Shared              bool          // all machines count together: see [NewShared]
	LogOnly             bool          // count and report, but allow every login as if its network were known, without a penalty
}

// The defaults of the configuration.
const (
	DefaultNetworkLimit = 100
	DefaultUserLimit    = 30
	DefaultPairLimit    = 10
	DefaultHalfLife     = time.Hour
	DefaultIPv4Prefix   = 32
	DefaultIPv6Prefix   = 64
	DefaultPenalty      = 2 * time.Second  // Dovecot's AUTH_PENALTY_INIT_SECS
	DefaultMaxPenalty   = 15 * time.Second // Dovecot's AUTH_PENALTY_MAX_SECS
	DefaultMaxEntries   = 1 << 15          // about 23 MiB for the four tables
)

// Bounds of a configuration.
const (
	maxLimit    = 1_000_000
	minHalfLife = time.Second
	maxHalfLife = 365 * 24 * time.Hour
	longestWait = time.Hour
	maxEntries  = 1 << 24
)

// Defaults returns the configuration that the package comment describes.
func Defaults() Config {
	return Config{
		NetworkLimit: DefaultNetworkLimit, UserLimit: DefaultUserLimit, PairLimit: DefaultPairLimit,
		HalfLife:   DefaultHalfLife,
		IPv4Prefix: DefaultIPv4Prefix, IPv6Prefix: DefaultIPv6Prefix,
		Penalty: DefaultPenalty, MaxPenalty: DefaultMaxPenalty,
		MaxEntries: DefaultMaxEntries,
	}
}

// ConfigError is an invalid value of a key in the configuration file.
type ConfigError struct{ Key, Problem string }

func (e *ConfigError) Error() string { return e.Key + " " + e.Problem }

// Validate returns an error for the first value that is out of bounds, or nil.
func (c *Config) Validate() *ConfigError {
	for _, f := range []struct {
		key             string
		value, from, to int
	}{
		{"network_limit", c.NetworkLimit, 0, maxLimit},
		{"user_limit", c.UserLimit, 0, maxLimit},
		{"pair_limit", c.PairLimit, 0, maxLimit},
		{"ipv4_prefix", c.IPv4Prefix, 1, 32},
		{"ipv6_prefix", c.IPv6Prefix, 1, 128},
		{"max_entries", c.MaxEntries, 1, maxEntries},
	} {
		if f.value < f.from || f.value > f.to {
			return &ConfigError{f.key, fmt.Sprintf("must be from %d to %d", f.from, f.to)}
		}
	}
	switch {
	case c.HalfLife < minHalfLife || c.HalfLife > maxHalfLife:
		return &ConfigError{"half_life", fmt.Sprintf("must be from %v to %v", minHalfLife, maxHalfLife)}
	case c.Penalty < 0 || c.MaxPenalty < c.Penalty || c.MaxPenalty > longestWait:
		return &ConfigError{"penalty", fmt.Sprintf("must be from 0s to max_penalty, which must be at most %v", longestWait)}
	}
	return nil
}

// limit returns the limit of a counter, or 0 if there is none.
func (c *Config) limit(of Counter) float64 {
	switch of {
	case Pair:
		return float64(c.PairLimit)
	case Network:
		return float64(c.NetworkLimit)
	}
	return float64(c.UserLimit)
}

// Network returns the network that a client is counted in. The zero address has a network too. For a
// trusted client, which is not counted, the network is zero.
func (c *Config) Network(client netip.Addr) (network netip.Prefix, trusted bool) {
	client = client.Unmap().WithZone("")
	for _, p := range c.TrustedNetworks {
		if p.Contains(client) {
			return netip.Prefix{}, true
		}
	}
	bits := c.IPv6Prefix
	if client.Is4() {
		bits = c.IPv4Prefix
	}
	network, _ = client.Prefix(bits) // Validate has checked the bits; an invalid address has the zero prefix
	return network, false
}

// penalty returns how long a refusal waits at a fullness. It grows by the same factor for each failure.
func (c *Config) penalty(fullness float64) time.Duration {
	if c.Penalty == 0 {
		return 0
	}
	growth := float64(c.MaxPenalty) / float64(c.Penalty)
	return time.Duration(float64(c.Penalty) * math.Pow(growth, min(fullness, 1)))
}
