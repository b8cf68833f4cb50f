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

// shutdown runs Shutdown on the side.
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
			w := slow.waitingLogin(s.doors[name])
			done := s.shutdown()
			for _, d := range s.doors {
				eventually(t, "no door takes new logins", func() bool { return !d.open() })
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
			w := slow.waitingLogin(s.doors[name])
			begin := time.Now()
			if err := s.Shutdown(); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Shutdown = %v", err)
			}
			if took := time.Since(begin); took < 100*time.Millisecond || took > patience/2 {
				t.Errorf("Shutdown took %v with a grace of 100 ms", took)
			}
			if name == "unix" {
				w.want(t, "") // its connection was ended
			}
			slow.release() // serve would have ended by now; here the login comes to its end
			eventually(t, "the login is in the log", func() bool {
				_, err := os.Stat(s.log)
				return err == nil
			})
		})
	}
}

// A login at a door that a reload closed is in flight as well.
func TestShutdownFinishesWhatAReloadLeft(t *testing.T) {
	slow := startSlowServer(t)
	s := start(t, "[users.", slow.sections()+"[users.")
	w := slow.waitingLogin(s.doors["unix"])
	s.reload(`"unix:`+s.doors["unix"].address+`", `, "", "[users.", slow.sections()+"[users.")
	done := s.shutdown()
	for _, d := range s.doors {
		eventually(t, "no door takes new logins", func() bool { return !d.open() })
	}
	select {
	case err := <-done:
		t.Errorf("Shutdown did not wait for the login: %v", err)
		slow.release()
	case <-time.After(200 * time.Millisecond): // all doors are closed: nothing else is left to do
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
		c, err := s.doors[name].dial()
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
	if s.doors["unix"].open() || s.doors["tcp"].open() || s.doors["http"].open() {
		t.Error("new connections are accepted")
	}
}

// After Shutdown nothing of the server runs. The one exception is lumberjack's
// goroutine, which has no end: there is one for each log that was written to.
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

// ownGoroutines are those that run our code or net/http's, but for tests and lumberjack.
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
