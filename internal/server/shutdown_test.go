package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// shutdown runs Shutdown in the background.
func (s *site) shutdown() <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.Shutdown() }()
	return done
}

func TestShutdownFinishesWhatIsInFlight(t *testing.T) {
	for _, name := range []string{"http", "tcp", "unix"} {
		t.Run(name, func(t *testing.T) {
			slow := startSlowServer(t)
			s := start(t, "[users.", slow.sections()+"[users.")
			w := slow.waitingLogin(s.endpoints[name])
			done := s.shutdown()
			for _, d := range s.endpoints {
				eventually(t, "no endpoint takes new logins", func() bool { return !d.open() })
			}
			select {
			case err := <-done:
				t.Fatalf("Shutdown did not wait for the login: %v", err)
			default:
			}
			slow.release()
			w.want(t, "OK")
			if err := <-done; err != nil {
				t.Errorf("Shutdown = %v", err)
			}
			if log := s.readLog(); !strings.Contains(log, "Auth-User:     tim@slow.example\n") || !strings.HasSuffix(log, "Auth-Status:   OK\n") {
				t.Errorf("log %q", log)
			}
		})
	}
}

func TestShutdownIsBoundedByGrace(t *testing.T) {
	for _, name := range []string{"http", "unix"} {
		t.Run(name, func(t *testing.T) {
			slow := startSlowServer(t)
			s := start(t, `grace = "5s"`, `grace = "100ms"`, "[users.", slow.sections()+"[users.")
			w := slow.waitingLogin(s.endpoints[name])
			begin := time.Now()
			if err := s.Shutdown(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Shutdown = %v", err)
			}
			if took := time.Since(begin); took < 100*time.Millisecond || took > longTimeout/2 {
				t.Errorf("Shutdown took %v with a grace of 100 ms", took)
			}
			if name == "unix" {
				w.want(t, "") // its connection was closed
			}
			slow.release() // in production the process has exited by now; here the login must end
			eventually(t, "the login is in the log", func() bool {
				_, err := os.Stat(s.log)
				return err == nil
			})
		})
	}
}

// Shutdown also waits for a login at an endpoint that a reload has closed.
func TestShutdownFinishesWhatAReloadLeft(t *testing.T) {
	slow := startSlowServer(t)
	s := start(t, "[users.", slow.sections()+"[users.")
	w := slow.waitingLogin(s.endpoints["unix"])
	s.reload(`"unix:`+s.endpoints["unix"].address+`", `, "", "[users.", slow.sections()+"[users.")
	done := s.shutdown()
	for _, d := range s.endpoints {
		eventually(t, "no endpoint takes new logins", func() bool { return !d.open() })
	}
	select {
	case err := <-done:
		t.Errorf("Shutdown did not wait for the login: %v", err)
		slow.release()
	case <-time.After(200 * time.Millisecond): // all endpoints are closed, so Shutdown has nothing else to do
		slow.release()
		if err := <-done; err != nil {
			t.Errorf("Shutdown = %v", err)
		}
	}
	w.want(t, "OK")
}

func TestShutdownEndsIdleConnections(t *testing.T) {
	s := start(t)
	for _, name := range []string{"tcp", "unix"} {
		c, err := s.endpoints[name].dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if head, err := overFastCGI(c, good); err != nil || field(head, "Auth-Status") != "OK" {
			t.Fatalf("%q, %v", head, err)
		}
		defer func() {
			if n, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("%s: read %d, %v; want the connection to be closed", name, n, err)
			}
		}()
	}
	if err := s.Shutdown(); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if s.endpoints["unix"].open() || s.endpoints["tcp"].open() || s.endpoints["http"].open() {
		t.Error("new connections are accepted")
	}
}

// After Shutdown no goroutine of the server runs, except lumberjack's, which never ends: there is one
// for each log that was written to.
func TestShutdownLeavesNoGoroutine(t *testing.T) {
	s := start(t)
	s.wantEverywhere(good, "OK")
	s.reload("[users.", "[auth]\nfailure_message = \"No\"\n[users.")
	s.wantEverywhere(bad, "No")
	if err := s.Shutdown(); err != nil {
		t.Fatal(err)
	}
	var left string
	defer func() {
		if t.Failed() {
			t.Logf("still running:\n%s", left)
		}
	}()
	eventually(t, "no goroutine of the server is left", func() bool {
		left = ownGoroutines()
		return left == ""
	})
}

// ownGoroutines returns the stacks of goroutines that run our code or net/http's, except tests and
// lumberjack.
func ownGoroutines() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var own []string
	for stack := range bytes.SplitSeq(buf, []byte("\n\n")) {
		s := string(stack)
		if strings.Contains(s, "testing.tRunner") || strings.Contains(s, "lumberjack.") {
			continue
		}
		if strings.Contains(s, "mailauthd/") || strings.Contains(s, "net/http") {
			own = append(own, s)
		}
	}
	return strings.Join(own, "\n\n")
}
