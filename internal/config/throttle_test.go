package config

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/throttle"
)

// Each key of [throttle] sets its own field.
func TestThrottleKeys(t *testing.T) {
	defaults := throttle.Defaults()
	for _, tt := range []struct {
		name, text string
		want       *throttle.Config
		wait       bool
	}{
		{"no section", "", nil, false},
		{"defaults", "[throttle]\n", &defaults, false},
		{"all keys", `[throttle]
network_limit = 1
user_limit = 2
pair_limit = 3
half_life = "4m"
ipv4_prefix = 5
ipv6_prefix = 6
trusted_networks = ["192.0.2.7", "2001:db8::/32"]
penalty = "8s"
max_penalty = "9s"
max_entries = 10
log_only = true
auth_wait = true
`, &throttle.Config{
			NetworkLimit: 1, UserLimit: 2, PairLimit: 3, HalfLife: 4 * time.Minute, IPv4Prefix: 5, IPv6Prefix: 6,
			TrustedNetworks: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32")},
			Penalty:         8 * time.Second, MaxPenalty: 9 * time.Second, MaxEntries: 10, LogOnly: true,
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(write(t, "m.toml", minimal+tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(c.Throttle, tt.want) || c.AuthWait != tt.wait {
				t.Errorf("%+v, wait %t; want %+v, %t", c.Throttle, c.AuthWait, tt.want, tt.wait)
			}
		})
	}
}

// A problem is reported at the line of its key, or of the section if the key is left out.
func TestThrottleProblems(t *testing.T) {
	for line, want := range map[string]string{
		"network_limit = -1":         ":10: throttle.network_limit: must be from 0 to 1000000",
		"user_limit = 1000001":       ":10: throttle.user_limit: must be from 0 to 1000000",
		"pair_limit = -1":            ":10: throttle.pair_limit: must be from 0 to 1000000",
		"half_life = \"0s\"":         ":10: throttle.half_life: must be from 1s to 8760h0m0s",
		"ipv4_prefix = 0":            ":10: throttle.ipv4_prefix: must be from 1 to 32",
		"ipv4_prefix = 33":           ":10: throttle.ipv4_prefix: must be from 1 to 32",
		"ipv6_prefix = 129":          ":10: throttle.ipv6_prefix: must be from 1 to 128",
		"trusted_networks = [\"x\"]": ":10: throttle.trusted_networks: entry 1: want an address",
		"penalty = \"1m\"":           ":10: throttle.penalty: must be from 0s to max_penalty",
		"penalty = \"-1s\"":          ":10: throttle.penalty: must be from 0s to 1h0m0s",
		"max_penalty = \"1s\"":       ":9: throttle.penalty: must be from 0s to max_penalty",
		"max_penalty = \"2h\"":       ":10: throttle.max_penalty: must be from 0s to 1h0m0s",
		"max_entries = 0":            ":10: throttle.max_entries: must be from 1 to 16777216",
	} {
		_, err := Load(write(t, "m.toml", minimal+"\n[throttle]\n"+line+"\n"))
		var p Problem
		if !errors.As(err, &p) || !strings.HasPrefix(err.Error(), p.File+want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

func TestClientIP(t *testing.T) {
	for text, want := range map[string]bool{"": false, `"Client-IP"`: false, `"Proxy-Protocol-Addr"`: true} {
		section := ""
		if text != "" {
			section = "[auth]\nclient_ip = " + text + "\n"
		}
		c, err := Load(write(t, "m.toml", minimal+section))
		if err != nil || c.ProxyAddr != want {
			t.Errorf("client_ip = %s is not taken: %v", text, err)
		}
	}
}
