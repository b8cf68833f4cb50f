package e2e

import (
	"net"
	"testing"
	"time"
)

const (
	slowConnections = 300 // more than listen.MaxPeerConns
	slowLogins      = 20
)

// TestSlowHTTPConnections opens more connections than one address may have, and sends half a request on each.
// Logins from the same address must still be answered, because the connection that has waited the longest is evicted.
func TestSlowHTTPConnections(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	startMailauthd(t, s, aliceTOML)
	http := endpoints(s)[2]
	whole := http.request(alice, "127.0.0.1")
	for range slowConnections {
		c, err := net.DialTimeout("tcp", s.http, clientTimeout)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(clientTimeout))
		send(c, whole[:len(whole)/2]) // the connection may be closed already
	}
	for range slowLogins {
		http.check(t, alice, "OK")
	}
}
