package access

import "testing"

func TestParseNet(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "192.0.2.7/24": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.7/32",
		"2001:db8::1": "2001:db8::1/128", "2001:db8::1/64": "2001:db8::/64", "0.0.0.0/0": "0.0.0.0/0",
	} {
		if got, err := ParseNet(in); err != nil || got.String() != want {
			t.Errorf("ParseNet(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "192.0.2", "192.0.2.0/33", "::ffff:192.0.2.0/120", "fe80::1%eth0", " 192.0.2.7", "192.0.2.7 "} {
		if got, err := ParseNet(in); err == nil {
			t.Errorf("ParseNet(%q) = %v, want an error", in, got)
		}
	}
}
