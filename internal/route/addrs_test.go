package route

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// inTurn returns the results of n calls of Addr.
func inTurn(r *Resolver, host string, n int) string {
	var list []string
	for range n {
		if a, ok := r.Addr(host); ok {
			list = append(list, a.String())
		} else {
			list = append(list, "none")
		}
	}
	return strings.Join(list, " ")
}

// all returns the addresses that one login tries.
func all(r *Resolver, host string) string {
	var list []string
	for a := range r.Addrs(host, netip.Addr{}) {
		list = append(list, a.String())
	}
	return strings.Join(list, " ")
}

func TestAddressesAreUsedInTurn(t *testing.T) {
	for _, tt := range []struct {
		name       string
		dns        []string
		preferIPv6 bool
		turns      string // of Addr
		all        string // of Addrs, after these
	}{
		{"one", []string{"192.0.2.1"}, false,
			"192.0.2.1 192.0.2.1 192.0.2.1", "192.0.2.1"},
		{"several", []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, false,
			"192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.1", "192.0.2.2 192.0.2.3 192.0.2.1"},
		{"twice the same", []string{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"}, false,
			"192.0.2.1 192.0.2.1", "192.0.2.1"},
		{"both kinds, IPv4", []string{"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"}, false,
			"192.0.2.1 192.0.2.2 192.0.2.1", "192.0.2.2 192.0.2.1 2001:db8::1 2001:db8::2"},
		{"both kinds, IPv6", []string{"2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"}, true,
			"2001:db8::1 2001:db8::2 2001:db8::1", "2001:db8::2 2001:db8::1 192.0.2.1 192.0.2.2"},
		{"only the other kind, IPv6", []string{"2001:db8::1", "2001:db8::2"}, false,
			"2001:db8::1 2001:db8::2 2001:db8::1", "2001:db8::2 2001:db8::1"},
		{"only the other kind, IPv4", []string{"::ffff:192.0.2.1", "192.0.2.2"}, true,
			"192.0.2.1 192.0.2.2 192.0.2.1", "192.0.2.2 192.0.2.1"},
		{"useless ones", []string{"0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "fe80::1%eth0", "192.0.2.1"}, true,
			"192.0.2.1 192.0.2.1", "192.0.2.1"},
		{"only useless ones", []string{"0.0.0.0"}, false,
			"none", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDNS()
			d.set("mail.example", tt.dns...)
			r := NewResolver(d.lookup)
			r.Watch(t.Context(), Names{Hosts: []string{"mail.example"}, PreferIPv6: tt.preferIPv6})
			if got := inTurn(r, "mail.example", 1+strings.Count(tt.turns, " ")); got != tt.turns {
				t.Errorf("Addr returns %s, want %s", got, tt.turns)
			}
			if got := all(r, "mail.example"); got != tt.all {
				t.Errorf("Addrs = %s, want %s", got, tt.all)
			}
		})
	}
}

func TestAddrsOfAnAddress(t *testing.T) {
	r := NewResolver(newDNS().lookup)
	r.Watch(t.Context(), Names{Hosts: []string{"192.0.2.1", "2001:db8::1"}, PreferIPv6: true})
	for host, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1", "192.0.2.9": "192.0.2.9", "none.example": "",
	} {
		if got := all(r, host); got != want {
			t.Errorf("Addrs(%q) = %s, want %s", host, got, want)
		}
	}
}

// A loop over all addresses advances the turn by one, also if it ends early.
func TestAddrsUsesOneTurn(t *testing.T) {
	d := newDNS()
	d.set("mail.example", "192.0.2.1", "192.0.2.2", "192.0.2.3")
	r := NewResolver(d.lookup)
	r.Watch(t.Context(), Names{Hosts: []string{"mail.example"}})
	all(r, "mail.example")
	for range r.Addrs("mail.example", netip.Addr{}) {
		break
	}
	n := 0
	for range r.Addrs("mail.example", netip.Addr{}) {
		if n++; n == 2 {
			break
		}
	}
	wantAddr(t, r, "mail.example", "192.0.2.1")
}

// The addresses may change while a login tries them.
func TestAddrsDuringAChange(t *testing.T) {
	for _, tt := range []struct{ before, after, want string }{
		{"192.0.2.1 192.0.2.2", "192.0.2.3", "192.0.2.1 192.0.2.3"},
		{"192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.1", "192.0.2.1 192.0.2.2"},
		{"2001:db8::1 2001:db8::2", "192.0.2.1 2001:db8::1", "2001:db8::1 192.0.2.1"},
	} {
		h, r := &host{}, NewResolver(nil)
		r.hosts["mail.example"] = h
		h.set(parseAddrs(tt.before), false)
		var got []string
		for a := range r.Addrs("mail.example", netip.Addr{}) {
			got = append(got, a.String())
			h.set(parseAddrs(tt.after), false)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s, then %s: tried %s, want %s", tt.before, tt.after, s, tt.want)
		}
	}
}

func parseAddrs(s string) []netip.Addr {
	var list []netip.Addr
	for _, field := range strings.Fields(s) {
		list = append(list, netip.MustParseAddr(field))
	}
	return list
}

func TestTooManyAddresses(t *testing.T) {
	d := newDNS()
	for i := range MaxAddrs + 1 {
		d.answers["mail.example"] = append(d.answers["mail.example"], netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
	}
	r := NewResolver(d.lookup)
	r.Watch(t.Context(), Names{Hosts: []string{"mail.example"}})
	if got := strings.Fields(all(r, "mail.example")); len(got) != MaxAddrs {
		t.Errorf("%d addresses are used, want %d", len(got), MaxAddrs)
	}
}

// A reload changes the preferred kind of address without another lookup.
func TestPreferenceChanges(t *testing.T) {
	d := newDNS()
	d.set("mail.example", "2001:db8::1", "192.0.2.1")
	r := NewResolver(d.lookup)
	for _, preferIPv6 := range []bool{false, true, false} {
		r.Watch(t.Context(), Names{Hosts: []string{"mail.example"}, PreferIPv6: preferIPv6})
		want := "192.0.2.1"
		if preferIPv6 {
			want = "2001:db8::1"
		}
		wantAddr(t, r, "mail.example", want)
	}
	if asked := d.questions(); len(asked) != 1 {
		t.Errorf("asked for %q, want one lookup", asked)
	}
}

// A reload changes the interval of a running resolver, also to a shorter one.
func TestIntervalChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDNS()
		d.set("mail.example", "192.0.2.1")
		r := NewResolver(d.lookup)
		hosts := []string{"mail.example"}
		r.Watch(t.Context(), Names{Hosts: hosts, Interval: 10 * time.Minute})
		run(t, r)
		d.questions()
		for _, interval := range []time.Duration{10 * time.Minute, 7 * time.Second, time.Hour, 0} {
			r.Watch(t.Context(), Names{Hosts: hosts, Interval: interval})
			if interval == 0 {
				interval = ResolveInterval
			}
			<-time.After(interval - 1)
			synctest.Wait()
			if asked := d.questions(); len(asked) > 0 {
				t.Errorf("interval %v: asked early for %q", interval, asked)
			}
			<-time.After(1)
			synctest.Wait()
			if asked := d.questions(); !slices.Equal(asked, []string{"ip mail.example"}) {
				t.Errorf("interval %v: asked for %q", interval, asked)
			}
		}
	})
}

// Addr returns at once, however slow DNS is.
func TestAddrNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDNS()
		d.set("mail.example", "192.0.2.1")
		r := NewResolver(d.lookup)
		r.Watch(t.Context(), Names{Hosts: []string{"mail.example"}})
		d.delay["mail.example"], d.delay["new.example"] = time.Hour, time.Hour
		run(t, r)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.Watch(ctx, Names{Hosts: []string{"mail.example", "new.example"}})
		start := time.Now()
		for range 100 {
			synctest.Wait()
			asked := time.Now()
			wantAddr(t, r, "mail.example", "192.0.2.1")
			wantAddr(t, r, "new.example", "")
			if took := time.Since(asked); took > 0 {
				t.Fatalf("Addr took %v, after %v", took, time.Since(start))
			}
			<-time.After(time.Second)
		}
	})
}

func TestAddrDoesNotAllocate(t *testing.T) {
	d := newDNS()
	d.set("one.example", "192.0.2.1")
	d.set("two.example", "192.0.2.1", "192.0.2.2")
	r := NewResolver(d.lookup)
	hosts := []string{"one.example", "two.example", "192.0.2.9", "2001:db8::1", "late.example"}
	r.Watch(t.Context(), Names{Hosts: hosts})
	for _, host := range hosts {
		if n := testing.AllocsPerRun(100, func() { r.Addr(host) }); n > 0 {
			t.Errorf("Addr(%q) allocates %v times", host, n)
		}
	}
}

func BenchmarkAddr(b *testing.B) {
	d := newDNS()
	d.set("two.example", "192.0.2.1", "192.0.2.2")
	r := NewResolver(d.lookup)
	hosts := []string{"two.example", "192.0.2.9"}
	r.Watch(b.Context(), Names{Hosts: hosts})
	for _, host := range hosts {
		b.Run(host, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.Addr(host)
				}
			})
		})
	}
}
