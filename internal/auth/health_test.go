package auth

import (
	"context"
	"io"
	"net"
	"testing"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/route"
)

// watched gives an Authenticator breakers for the servers of up.example.
func watched(a *Authenticator) []*route.Server {
	servers := a.Domains.Find("up.example").Servers
	a.Health = route.NewHealth(servers, nil, nil)
	return servers
}

// Clients that go away set no server aside.
func TestClientsGoAway(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	a := newUpstreamAuth(t, silent.Addr().(*net.TCPAddr).AddrPort())
	server := watched(a)[0]
	for range route.MaxFails {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			c, err := silent.Accept()
			cancel()
			if err == nil {
				_, _ = io.Copy(io.Discard, c) // until it is left
				c.Close()
			}
		}()
		if r, _ := a.Answer(ctx, ask{user: "tim@up.example", pass: right}.header()); r.Outcome != authhttp.TempFail {
			t.Error(r.Outcome)
		}
	}
	if s := a.Health.Of(server, "imap").State(); s != route.Closed {
		t.Errorf("the server is %v", s)
	}
}

// A user whose answer is remembered is sent to a server that is not set aside, also where all servers are
// asked by another protocol than the client's.
func TestRememberedUsersLeaveADeadServer(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 OK done")
	a := withCache(newUpstreamAuth(t, s.addr()))
	live := a.Domains.Find("up.example").Servers[0]
	live.VerifyProtocol = "imap"
	dead := *live
	dead.Name = "dead"
	setDomains(a, &route.Domain{Name: "up.example", Verify: route.VerifyUpstream, Servers: []*route.Server{&dead, live}})
	watched(a)
	good := ask{protocol: "pop3", user: "tim@up.example", pass: right}
	if e := answers(t, a, good, authhttp.OK, "", ""); e.Server != "dead" {
		t.Errorf("sent to %q", e.Server)
	}
	for range route.MaxFails {
		ticket, _ := a.Health.Of(&dead, "imap").Allow()
		ticket.Failed(io.EOF)
	}
	if e := answers(t, a, good, authhttp.OK, "", "hit"); e.Server != "up" {
		t.Errorf("sent to %q, which is set aside", e.Server)
	}
}
