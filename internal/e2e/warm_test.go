package e2e

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// warmTOML configures warm connections for the users of domain1.com.
const warmTOML = `
[servers.dovecot1]
host = "127.0.0.1"

[servers.dovecot1.verify]
protocol = %[1]q
%[1]s = %[2]d
tls = "starttls"
ca_file = %[3]q
mechanisms = ["SCRAM-SHA-256"]
warm = 2
`

// TestWarm checks that the second login uses a warm connection, after the greeting and TLS. Logins must also succeed
// after the warm connections were lost.
func TestWarm(t *testing.T) {
	t.Parallel()
	d := startTLSDovecot(t, []account{bob})
	for protocol, ports := range d.ports {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			relay := startRelay(t, loopback(ports[0]))
			s := newSite(t, tempDir(t))
			m := startMailauthd(t, s, fmt.Sprintf(warmTOML, protocol, relay.port, d.ca.file)+domainTOML("domain1.com", "upstream"))
			direct := site{auth: s.http}
			want := func(what string, open, clients int32) {
				t.Helper()
				if !poll(clientTimeout, m.done, func() bool { return relay.open.Load() == open && relay.clients.Load() == clients }) {
					t.Errorf("%s: %d connections are open, %d were made, want %d, %d", what, relay.open.Load(), relay.clients.Load(), open, clients)
				}
			}
			checkAuthStatus(t, direct, bob.user, bob.password, "OK")
			want("a login of its own connection and two kept", 2, 3)
			checkAuthStatus(t, direct, bob.user, bob.password, "OK")
			want("one of the two, and its replacement", 2, 4)
			checkAuthStatus(t, direct, bob.user, mark, "Invalid login or password")
			want("the next one, and its replacement", 2, 5)
			relay.cut()
			again := func() bool {
				checkAuthStatus(t, direct, bob.user, bob.password, "OK")
				return relay.open.Load() == 2
			}
			if !poll(clientTimeout, m.done, again) { // after a failure the pool waits before it opens the next connection
				t.Error("no warm connection after all were lost")
			}
			m.stop(t)
			if !poll(clientTimeout, nil, func() bool { return relay.open.Load() == 0 }) {
				t.Errorf("%d connections are open at the end", relay.open.Load())
			}
		})
	}
}

// relay forwards connections to a server, and counts them.
type relay struct {
	port          int
	open, clients atomic.Int32

	mu    sync.Mutex
	conns []net.Conn
}

func startRelay(tb testing.TB, server string) *relay {
	tb.Helper()
	r := new(relay)
	tb.Cleanup(r.cut)
	r.port = serve(tb, func(conn net.Conn) {
		r.clients.Add(1)
		r.open.Add(1)
		defer r.open.Add(-1)
		r.mu.Lock()
		r.conns = append(r.conns, conn)
		r.mu.Unlock()
		pass(conn, server)
	}).port
	return r
}

// cut closes all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
}

// pass copies in both directions until either side ends.
func pass(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() {
		defer client.Close()
		defer server.Close()
		_, _ = io.Copy(server, client)
	})
	_, _ = io.Copy(client, server)
	client.Close()
	server.Close()
}
