package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
	"mailauthd/internal/users"
)

// withSecond gives up.example a second server like the first one, and both of them breakers.
func withSecond(a *Authenticator) (first, second *route.Server) {
	first = a.Domains.Find("up.example").Servers[0]
	s := *first
	s.Name = "second"
	setDomains(a, &route.Domain{Name: "up.example", Verify: route.VerifyUpstream, Servers: []*route.Server{first, &s}})
	watched(a)
	return first, &s
}

var tim = ask{user: "tim@up.example", pass: right}

// A server is set aside after failures in a row, between which it has not answered anything.
func TestFailuresInARow(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 NO [UNAVAILABLE] later")
	a := newUpstreamAuth(t, s.addr())
	server := watched(a)[0]
	fail := func(times int) {
		for range times {
			ticket, _ := a.Health.Of(server, "imap").Allow()
			ticket.Failed(io.EOF)
		}
	}
	want := func(state route.State) {
		t.Helper()
		if s := a.Health.Of(server, "imap").State(); s != state {
			t.Errorf("the server is %v, want %v", s, state)
		}
	}
	fail(route.MaxFails - 1)
	answers(t, a, tim, authhttp.TempFail, authlog.InternalFailure, "")
	fail(route.MaxFails - 1)
	want(route.Closed)
	s.Close()
	answers(t, a, tim, authhttp.TempFail, authlog.InternalFailure, "")
	want(route.Open)
}

// A server that has no address, or cannot be reached, leaves the login to the next one. One that we do not ask
// because of limits of our own does not.
func TestNextServer(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(a *Authenticator, first *route.Server)
		next  bool
	}{
		"not resolved": {func(_ *Authenticator, first *route.Server) { first.Host = "lost.invalid" }, true},
		"dead":         {func(_ *Authenticator, first *route.Server) { first.Host = "127.0.0.2" }, true},
		"no slot": {func(a *Authenticator, first *route.Server) {
			a.servers[first.Name].slots = limit.NewGroup(limit.Bounds{}).NewLimiter(limit.Config{})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := startScripted(t, "* OK hi", offered, "001 OK done")
			a := newUpstreamAuth(t, s.addr())
			first, _ := withSecond(a)
			tt.spoil(a, first)
			_, e := answer(t, a, tim.header())
			if next := e.Server == "second"; next != tt.next || next != (e.Outcome == authhttp.OK.String()) {
				t.Errorf("server %s: %s (%s)", e.Server, e.Outcome, e.Error)
			}
		})
	}
}

// A right password counts longer while all servers are set aside, or have no address, and nginx is sent to the first.
func TestStaleWithoutServers(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 OK done")
	a := withCache(newUpstreamAuth(t, s.addr()))
	server := watched(a)[0]
	now := time.Now()
	a.Now = func() time.Time { return now }
	answers(t, a, tim, authhttp.OK, "", "")
	now = now.Add(time.Hour)
	for range route.MaxFails {
		ticket, _ := a.Health.Of(server, "imap").Allow()
		ticket.Failed(io.EOF)
	}
	if e := answers(t, a, tim, authhttp.OK, "", "stale"); e.Server != "up" || e.Backend != s.addr() {
		t.Errorf("sent to %s %v", e.Server, e.Backend)
	}
	answers(t, a, ask{user: tim.user, pass: wrong}, authhttp.TempFail, authlog.InternalFailure, "")
	if good, bad := a.CacheLen(); good != 1 || bad != 0 {
		t.Errorf("%d right and %d refused passwords are remembered", good, bad)
	}
}

// While all servers are set aside a login that is checked by a hash is told so, whether its password is right or wrong.
func TestAllServersSetAside(t *testing.T) {
	a := newAuth(t)
	servers := a.Domains.Find("users.example").Servers
	a.Health = route.NewHealth(servers, nil, nil)
	for range route.MaxFails {
		ticket, _ := a.Health.Of(servers[0], "imap").Allow()
		ticket.Failed(io.EOF)
	}
	if e := answers(t, a, ask{user: alice, pass: right}, authhttp.TempFail, authlog.InternalFailure, ""); e.Error != allSetAside {
		t.Error(e.Error)
	}
	answers(t, a, ask{user: alice, pass: wrong}, authhttp.TempFail, authlog.InternalFailure, "")
	answers(t, a, ask{user: "bob@users.example", pass: wrong}, authhttp.TempFail, authlog.InternalFailure, "")
}

// Mail from outside waits in its queue while nginx could be sent to no server.
func TestMailWithoutServers(t *testing.T) {
	a := newAuth(t)
	h := ask{method: "none", protocol: "smtp"}.header()
	h.Set("Auth-Smtp-To", "RCPT TO:<alice@lost.example>")
	r, e := answer(t, a, h)
	if r.Outcome != authhttp.TempFail || r.Code != "451 4.3.0" || !strings.Contains(e.Error, "has not been resolved") {
		t.Errorf("%v %q: %s", r.Outcome, r.Code, e.Error)
	}
}

// A server is not to blame that had less time than its timeout because the login waited for a slot.
func TestWaitingIsNotTheServersFault(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // connects, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	a := newUpstreamAuth(t, silent.Addr().(*net.TCPAddr).AddrPort())
	server := a.Domains.Find("up.example").Servers[0]
	server.Timeout, server.MaxConnections = time.Second, 1
	dead := newServer("dead", "127.0.0.2") // refuses connections
	dead.IMAP, dead.MaxConnections = server.IMAP, 1
	for _, tt := range []struct {
		name   string
		server *route.Server
		waits  bool
		want   route.State
	}{
		{"silent", server, false, route.Open},
		{"silent, after waiting", server, true, route.Closed},
		{"dead, after waiting", dead, true, route.Open},
	} {
		setDomains(a, &route.Domain{Name: "up.example", Verify: route.VerifyUpstream, Servers: []*route.Server{tt.server}})
		watched(a)
		for range route.MaxFails {
			if tt.waits {
				free := occupy(t, a.servers[tt.server.Name].slots)
				time.AfterFunc(server.Timeout/20, free)
			}
			answers(t, a, tim, authhttp.TempFail, authlog.InternalFailure, "")
		}
		if s := a.Health.Of(tt.server, "imap").State(); s != tt.want {
			t.Errorf("%s: the server is %v, want %v", tt.name, s, tt.want)
		}
	}
}

// The log has the server that was asked, also of a user that the rules keep out.
func TestServerThatWasAsked(t *testing.T) {
	for _, reply := range []string{"001 OK done", "001 NO no"} {
		s := startScripted(t, "* OK hi", offered, reply)
		a := newUpstreamAuth(t, s.addr())
		first, _ := withSecond(a)
		first.Host = "127.0.0.2"
		var err error
		if a.Directory, err = users.New([]users.User{{Name: tim.user, Extra: &users.Settings{Access: keptOut["nologin"].rules}}}); err != nil {
			t.Fatal(err)
		}
		if e := answers(t, a, tim, authhttp.Reject, authlog.UserDisabled, ""); e.Server != "second" || e.Backend != s.addr() {
			t.Errorf("the log has server %s %v", e.Server, e.Backend)
		}
	}
}

// What is remembered depends on all servers that could have been asked, and on the user's name there.
func TestCacheForgetsOtherServers(t *testing.T) {
	for name, change := range map[string]func(u *users.User, second *route.Server){
		"second server": func(_ *users.User, second *route.Server) { second.Host = "127.0.0.3" },
		"login":         func(u *users.User, _ *route.Server) { u.Extra = &users.Settings{Login: "thomas@up.example"} },
	} {
		t.Run(name, func(t *testing.T) {
			s := startScripted(t, "* OK hi", offered, "001 OK done")
			a := withCache(newUpstreamAuth(t, s.addr()))
			_, second := withSecond(a)
			var err error
			if a.Directory, err = users.New([]users.User{{Name: tim.user}}); err != nil {
				t.Fatal(err)
			}
			answers(t, a, tim, authhttp.OK, "", "")
			answers(t, a, tim, authhttp.OK, "", "hit")
			change(entry(t, a, tim.user), second)
			answers(t, a, tim, authhttp.OK, "", "")
		})
	}
}

// Only what does not depend on us or on the client makes a server unreachable, and only that is its fault.
func TestContact(t *testing.T) {
	for _, tt := range []struct {
		err     error
		contact contact
	}{
		{nil, answered},
		{upstream.ErrRejected, answered},
		{errors.New("SCRAM: salt is not base64"), answered},
		{upstream.ErrBusy, notAsked},
		{syscall.EMFILE, notAsked},
		{context.Canceled, notAsked},
		{io.EOF, unreachable},
		{syscall.ECONNREFUSED, unreachable},
	} {
		err := tt.err
		if err != nil {
			err = fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Err: err})
		}
		if tt.contact == answered {
			err = tt.err
		}
		v := &atServer{mailServer: &mailServer{Server: newServer("up", "192.0.2.1")}, failed: io.EOF}
		got := v.conclude(&attempt{login: &login{}}, "", err)
		if got.contact != tt.contact || (v.failed != nil) != (tt.contact == unreachable) {
			t.Errorf("%v: contact %d, failed %v", err, got.contact, v.failed)
		}
	}
}

// The slots of a server are its connections; a quarter of them is reserved.
func TestSlotsOfAServer(t *testing.T) {
	for n, want := range map[int]limit.Config{
		0:   {Slots: upstream.MaxConnections, Reserved: 25, Waiting: MaxWaiting},
		10:  {Slots: 10, Reserved: 3, Waiting: MaxWaiting},
		200: {Slots: 200, Reserved: 50, Waiting: MaxWaiting},
	} {
		a, s := newAuth(t), newServer(fmt.Sprint("with", n), "192.0.2.1")
		s.MaxConnections = n
		a.add(s)
		if got := a.servers[s.Name].slots.Config(); got != want {
			t.Errorf("max_connections = %d: %+v, want %+v", n, got, want)
		}
	}
}
