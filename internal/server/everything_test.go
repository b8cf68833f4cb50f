package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// Reloads that change what is inherited, cache flushes and throttle resets, all at the same time, change
// no answer. Run it with the race detector.
func TestReloadsFlushesAndResetsUnderLoad(t *testing.T) {
	quick := startSlowServer(t)
	quick.release() // it accepts every login at once
	s := startAdmin(t)
	const more = "[throttle]\npair_limit = %d\nuser_limit = 0\nnetwork_limit = 0\n[auth]\nhash_concurrency = %d\n"
	text := func(n int) string {
		return fmt.Sprintf(more, 1000+n%2, 1+n%3) + quick.sections() + fmt.Sprintf("[servers.slow.verify]\nmax_connections = %d\nwarm = %d\n", 20+n%2, n%2) + "[users."
	}
	edits := func(n int) []string { return append(append([]string{}, s.edits...), "[users.", text(n)) }
	s.reload(edits(0)...)

	stop := make(chan struct{})
	var load sync.WaitGroup
	asking := func(endpoint string, i int, ask func(n int) (http.Header, string)) {
		load.Go(func() {
			for n := i; ; n += 1000 {
				select {
				case <-stop:
					return
				default:
				}
				h, want := ask(n)
				head, err := s.endpoints[endpoint].ask(h)
				if got := field(head, "Auth-Status"); err != nil || got != want {
					t.Errorf("%s: Auth-Status %q, %v; want %q", endpoint, got, err, want)
					return
				}
			}
		})
	}
	for i, endpoint := range []string{"http", "tcp", "unix"} {
		asking(endpoint, i, func(n int) (http.Header, string) { return good, "OK" })
		asking(endpoint, i, func(n int) (http.Header, string) {
			return login("alice@users.example", fmt.Sprint("wrong", n)), failed
		})
		asking(endpoint, i, func(n int) (http.Header, string) {
			return login(fmt.Sprintf("u%d@slow.example", n%7), password), "OK"
		})
	}
	for n := range 40 {
		switch n % 4 {
		case 0, 1:
			s.reload(edits(n)...)
		case 2:
			s.request("POST", "unix", s.socket, "/cache/flush")
		case 3:
			s.request("POST", "unix", s.socket, "/throttle/reset?of=alice@users.example")
		}
		s.request("GET", "tcp", s.metrics, "/metrics")
	}
	close(stop)
	load.Wait()
	if said := s.stderr.String(); strings.Contains(said, "panic") || strings.Contains(said, "set aside") {
		t.Errorf("standard error: %s", said)
	}
}
