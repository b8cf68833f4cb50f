package listen

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func networks(cidrs ...string) []netip.Prefix {
	var nets []netip.Prefix
	for _, s := range cidrs {
		nets = append(nets, netip.MustParsePrefix(s))
	}
	return nets
}

func TestAllowedClients(t *testing.T) {
	l, err := Open(Address{"tcp", "127.0.0.1:0"}, Options{AllowedClients: networks("192.0.2.0/24")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // greets allowed clients
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			_, _ = io.WriteString(c, "hello")
			c.Close()
		}
	}()
	greets := func(allowed string, want string) {
		t.Helper()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(c) // a refused client may get a reset
		c.Close()
		if string(got) != want {
			t.Errorf("allowed %v: client read %q, want %q", allowed, got, want)
		}
	}
	greets("as opened", "")
	for _, tt := range []struct {
		allowed []netip.Prefix
		want    string
	}{
		{networks("127.0.0.1/32"), "hello"},
		{networks("192.0.2.0/24"), ""},
		{networks("192.0.2.0/24", "127.0.0.0/8"), "hello"},
		{networks("::1/128"), ""},
		{nil, "hello"},
	} {
		if err := Apply(l, Options{AllowedClients: tt.allowed}); err != nil {
			t.Fatal(err)
		}
		greets(fmt.Sprint(tt.allowed), tt.want)
	}
}

func TestAllows(t *testing.T) {
	nets := networks("192.0.2.0/24", "2001:db8::/32", "fe80::/10", "127.0.0.1/32")
	a := restrict(newPipeListener(), nets, slog.New(slog.DiscardHandler)).(*allowed)
	for _, tt := range []struct {
		client string
		want   bool
	}{
		{"127.0.0.1:1234", true},
		{"127.0.0.2:1234", false},
		{"192.0.2.255:1", true},
		{"192.0.3.1:1", false},
		{"[2001:db8::1]:1", true},
		{"[2001:db9::1]:1", false},
		{"[::ffff:192.0.2.1]:1", true}, // on a socket for both families
		{"[::1]:1", false},
		{"[fe80::1%eth0]:1", true},
	} {
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(tt.client))
		if got := a.allows(addr); got != tt.want {
			t.Errorf("allows(%s) = %v", tt.client, got)
		}
	}
	if a.allows(&net.UnixAddr{Name: "@", Net: "unix"}) {
		t.Error("a client without an address is allowed")
	}
}

func TestRefusedClientsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		inner := newPipeListener()
		l := restrict(inner, networks("192.0.2.0/24"), slog.New(slog.NewTextHandler(&log, nil)))
		accepted := make(chan error)
		go func() {
			_, err := l.Accept()
			accepted <- err
		}()
		warnings := func() int { return strings.Count(log.String(), "connection refused: not in allowed_clients") }
		for _, tt := range []struct {
			pause  time.Duration
			client string
			want   int
		}{
			{0, "203.0.113.7:4321", 1}, {0, "203.0.113.7:1", 1}, {0, "203.0.113.8:1", 2}, {59 * time.Second, "203.0.113.7:1", 2},
			{time.Second, "203.0.113.7:1", 3}, {0, "203.0.113.8:1", 4}, {59 * time.Second, "203.0.113.7:1", 4},
		} {
			<-time.After(tt.pause)
			c := inner.dial(tt.client)
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("refused client read: %v", err)
			}
			synctest.Wait()
			if got := warnings(); got != tt.want {
				t.Errorf("%d warnings, want %d", got, tt.want)
			}
		}
		if !strings.Contains(log.String(), "client=203.0.113.7:4321 listener=192.0.2.1:9000") {
			t.Errorf("log: %s", log.String())
		}
		inner.Close()
		if err := <-accepted; err == nil {
			t.Error("a refused client was accepted")
		}
	})
}
