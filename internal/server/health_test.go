package server

import (
	"fmt"
	"strings"
	"testing"

	"mailauthd/internal/route"
)

// The metric tells of a server by the protocols that it is asked by, and of no other.
func TestServerUp(t *testing.T) {
	s := startAdmin(t)
	down := fmt.Sprintf(`[domains."down.example"]
servers = ["down"]
[servers.down]
host = "127.0.0.1"
imap = %s
[servers.down.verify]
protocol = "imap"
`, strings.TrimPrefix(freeAddress(t), "127.0.0.1:"))
	s.reload(append(s.edits, "[users.", down+"[users.")...)
	s.wantMetrics(`mailauthd_server_up{protocol="imap",server="down"} 1`, `mailauthd_server_up{protocol="pop3",server="box1"} 1`)
	for range route.MaxFails {
		s.want("http", login("tim@down.example", password), "Temporary authentication failure")
	}
	s.wantMetrics(`mailauthd_server_up{protocol="imap",server="down"} 0`)
	if _, body := s.request("GET", "tcp", s.metrics, "/metrics"); strings.Contains(body, `mailauthd_server_up{protocol="pop3",server="down"}`) {
		t.Error("a server is called up by a protocol that nobody asks it by")
	}
	if said := s.said.String(); strings.Count(said, "set aside") != 1 {
		t.Errorf("log %s", said)
	}
}
