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
	a.Health = Healths{}
	for _, protocol := range []string{"imap", "pop3", "smtp"} {
		a.Health[protocol] = route.NewHealth(servers, nil, nil)
	}
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
	if s := a.Health["imap"].Of(server).State(); s != route.Closed {
		t.Errorf("the server is %v", s)
	}
}
