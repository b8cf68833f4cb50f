package server

import (
	"net"
	"sync"
	"testing"
)

// A web server may have connected, and not have sent its request yet, when Shutdown begins.
func TestShutdownAnswersConnectionsWithoutARequest(t *testing.T) {
	for _, name := range []string{"http", "tcp", "unix"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			e := s.endpoints[name]
			conns := make([]net.Conn, 20)
			for i := range conns {
				var err error
				if conns[i], err = e.dial(); err != nil {
					t.Fatal(err)
				}
				defer conns[i].Close()
			}
			done := s.shutdown()
			eventually(t, "no new connections are accepted", func() bool { return !e.open() })
			for _, c := range conns {
				if head, err := e.over(c, good); err != nil || field(head, "Auth-Status") != "OK" {
					t.Errorf("%q, %v", head, err)
				}
			}
			if err := <-done; err != nil {
				t.Errorf("Shutdown = %v", err)
			}
		})
	}
}

// Each connection that was made before Shutdown is answered, also those that nobody has accepted yet.
func TestShutdownLosesNothing(t *testing.T) {
	for _, name := range []string{"http", "tcp", "unix"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				loseNothing(t, name)
			}
		})
	}
}

func loseNothing(t *testing.T, name string) {
	t.Helper()
	s := start(t)
	e := s.endpoints[name]
	var clients sync.WaitGroup
	some := make(chan bool)
	for range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				c, err := e.dial()
				if err != nil {
					return // no process listens any more
				}
				head, err := e.over(c, good)
				c.Close()
				if err != nil || field(head, "Auth-Status") != "OK" {
					t.Errorf("%q, %v", head, err)
				}
				if i == 10 {
					some <- true
				}
			}
		})
	}
	for range 8 {
		<-some
	}
	if err := s.Shutdown(); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	clients.Wait()
}
