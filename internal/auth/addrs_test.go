package auth

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/route"
)

// named makes the only server of up.example a name with these addresses.
func named(t *testing.T, a *Authenticator, addrs ...string) {
	t.Helper()
	a.Resolver = route.NewResolver(func(context.Context, string, string) (list []netip.Addr, _ error) {
		for _, s := range addrs {
			list = append(list, netip.MustParseAddr(s))
		}
		return list, nil
	})
	a.Domains.Find("up.example").Servers[0].Host = "mail.up.example"
	if errs := a.Resolver.Watch(t.Context(), route.Names{Hosts: []string{"mail.up.example"}}); len(errs) > 0 {
		t.Fatal(errs)
	}
}

// sentTo logs in so many times, and tells where nginx is sent.
func sentTo(t *testing.T, a *Authenticator, logins int) string {
	t.Helper()
	var list []string
	for range logins {
		r, e := answer(t, a, ask{user: "tim@up.example", pass: right}.header())
		if r.Outcome != authhttp.OK {
			t.Fatalf("%v: %s", r.Outcome, e.Error)
		}
		list = append(list, r.Server.Addr().String())
	}
	return strings.Join(list, " ")
}

// anyAddress listens at all addresses of the machine, and counts who is asked where.
func anyAddress(t *testing.T) (addr netip.AddrPort, asked func() string) {
	t.Helper()
	l, err := net.Listen("tcp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{Listener: l, script: []string{"* OK hi", offered, "001 OK done"}, got: make(chan string, 100)}
	var list []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			list = append(list, c.LocalAddr().(*net.TCPAddr).IP.String())
			s.serve(c)
		}
	}()
	stop := func() string {
		l.Close()
		<-done
		return strings.Join(list, " ")
	}
	t.Cleanup(func() { stop() })
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.addr().Port()), stop
}

// However many addresses a server has, they are asked in turn, and nginx is sent to
// the one that was asked.
func TestAddressesInTurn(t *testing.T) {
	for list, want := range map[string]string{
		"127.0.0.1 127.0.0.2":           "127.0.0.1 127.0.0.2 127.0.0.1 127.0.0.2",
		"127.0.0.1 127.0.0.2 127.0.0.3": "127.0.0.1 127.0.0.2 127.0.0.3 127.0.0.1",
	} {
		addr, asked := anyAddress(t)
		a := newUpstreamAuth(t, addr)
		named(t, a, strings.Fields(list)...)
		if got := sentTo(t, a, 4); got != want {
			t.Errorf("nginx was sent to %s, want %s", got, want)
		}
		if got := asked(); got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
}

// An address that does not answer costs no login, and sets no server aside whose others do.
func TestDeadAddress(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 OK done")
	a := newUpstreamAuth(t, s.addr())
	named(t, a, "127.0.0.1", "127.0.0.2")
	if got := sentTo(t, a, 4); got != "127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1" {
		t.Errorf("nginx was sent to %s", got)
	}
}

// All addresses of a server share its time.
func TestSilentAddresses(t *testing.T) {
	l, err := net.Listen("tcp4", ":0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := newUpstreamAuth(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.Addr().(*net.TCPAddr).AddrPort().Port()))
	named(t, a, "127.0.0.1", "127.0.0.2", "127.0.0.3")
	server := a.Domains.Find("up.example").Servers[0]
	server.Timeout = 100 * time.Millisecond
	lines := 0
	a.Trace = func(format string, _ ...any) {
		if strings.HasPrefix(format, "checking") {
			lines++
		}
	}
	r, e := answer(t, a, ask{user: "tim@up.example", pass: right}.header())
	if r.Outcome != authhttp.TempFail || lines != 1 {
		t.Errorf("%v (%s), %d addresses asked, want 1", r.Outcome, e.Error, lines)
	}
}
