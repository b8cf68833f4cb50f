package access

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func nets(list ...string) []netip.Prefix {
	out := []netip.Prefix{}
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

var (
	yes, no = true, false
	now     = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	client  = Client{IP: "192.0.2.42", Protocol: "imap", TLS: true, Now: now}
)

func TestRefusal(t *testing.T) {
	plain := client
	plain.TLS = false
	mapped := client
	mapped.IP = "::ffff:192.0.2.42"
	unix := client
	unix.IP = "unix:"
	for _, tt := range []struct {
		name     string
		rules    Rules
		client   Client
		why      string // empty: not refused
		disabled bool
	}{
		{"no rules", Rules{}, client, "", false},
		{"nologin", Rules{NoLogin: &yes}, client, "nologin", true},
		{"nologin with a reason", Rules{NoLogin: &yes, Reason: "left in May"}, client, "nologin: left in May", true},
		{"nologin set to false", Rules{NoLogin: &no, Reason: "x"}, client, "", false},
		{"not expired", Rules{Expires: now.Add(1)}, client, "", false},
		{"expires now", Rules{Expires: now}, client, "expired on 2026-11-23T12:00:00Z", true},
		{"protocol", Rules{Protocols: []string{"pop3", "imap"}}, client, "", false},
		{"other protocol", Rules{Protocols: []string{"pop3"}}, client, "protocol is not", false},
		{"empty list of protocols", Rules{Protocols: []string{}}, client, "protocol is not", false},
		{"TLS", Rules{RequireTLS: &yes}, client, "", false},
		{"no TLS", Rules{RequireTLS: &yes}, plain, "require_tls", false},
		{"TLS not required", Rules{RequireTLS: &no}, plain, "", false},
		{"network", Rules{AllowNets: nets("198.51.100.0/24", "192.0.2.0/24")}, client, "", false},
		{"mapped address", Rules{AllowNets: nets("192.0.2.42/32")}, mapped, "", false},
		{"other network", Rules{AllowNets: nets("198.51.100.0/24")}, client, "client is not in allow_nets", false},
		{"empty list of networks", Rules{AllowNets: nets()}, client, "client is not in allow_nets", false},
		{"denied network", Rules{DenyNets: nets("198.51.100.0/24", "192.0.2.0/24")}, client, "client is in deny_nets", false},
		{"denied and allowed", Rules{DenyNets: nets("192.0.2.42/32"), AllowNets: nets("192.0.2.0/24")}, client, "client is in deny_nets", false},
		{"denied mapped address", Rules{DenyNets: nets("192.0.2.42/32")}, mapped, "client is in deny_nets", false},
		{"other denied network", Rules{DenyNets: nets("192.0.2.43/32")}, client, "", false},
		{"no network is denied", Rules{DenyNets: nets()}, client, "", false},
		{"denied, not an IP address", Rules{DenyNets: nets("198.51.100.0/24")}, unix, "client has no IP address", false},
		{"none denied, not an IP address", Rules{DenyNets: nets()}, unix, "", false},
		{"not an IP address", Rules{AllowNets: nets("0.0.0.0/0", "::/0")}, unix, "client is not in allow_nets", false},
		{"nologin is applied first", Rules{NoLogin: &yes, Expires: now, Protocols: []string{}, AllowNets: nets()}, client, "nologin", true},
		{"then expires", Rules{Expires: now, Protocols: []string{}, AllowNets: nets()}, client, "expired", true},
		{"then protocols", Rules{Protocols: []string{}, RequireTLS: &yes, AllowNets: nets()}, plain, "protocol", false},
		{"then TLS", Rules{RequireTLS: &yes, DenyNets: nets("192.0.2.0/24"), AllowNets: nets()}, plain, "require_tls", false},
		{"then denied networks", Rules{DenyNets: nets("192.0.2.0/24"), AllowNets: nets()}, client, "client is in deny_nets", false},
	} {
		why, disabled := tt.rules.Refusal(tt.client)
		if (why == "") != (tt.why == "") || !strings.HasPrefix(why, tt.why) || disabled != tt.disabled {
			t.Errorf("%s: %q, %v; want %q, %v", tt.name, why, disabled, tt.why, tt.disabled)
		}
	}
}

// TestUnder tests that for each key only the innermost setting applies.
func TestUnder(t *testing.T) {
	outer := Rules{NoLogin: &yes, Reason: "outer", Expires: now, Protocols: []string{"imap"}, RequireTLS: &yes, DenyNets: nets("192.0.2.1/32"), AllowNets: nets("192.0.2.0/24")}
	inner := Rules{NoLogin: &no, Expires: now.Add(time.Hour), Protocols: []string{}, RequireTLS: &no, DenyNets: nets(), AllowNets: nets()}
	if got := (Rules{}).Under(outer); got.NoLogin != &yes || got.Reason != "outer" || got.Expires != now || len(got.Protocols) != 1 || got.RequireTLS != &yes || len(got.DenyNets) != 1 || len(got.AllowNets) != 1 {
		t.Errorf("rules that set nothing, under rules that set everything: %+v", got)
	}
	got := inner.Under(outer)
	if got.NoLogin != &no || got.Reason != "" || got.Expires != inner.Expires || len(got.Protocols) != 0 || got.RequireTLS != &no || len(got.DenyNets) != 0 || len(got.AllowNets) != 0 {
		t.Errorf("rules that set everything, under rules that set everything: %+v", got)
	}
}
