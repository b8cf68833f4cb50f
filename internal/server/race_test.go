package server

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Under load every answer comes from one whole configuration, the old or the new one. No connection to
// a socket that stays is lost, and no log entry.
func TestReloadUnderLoad(t *testing.T) {
	old := []string{`format = "legacy"`, `format = "logfmt"`}
	changed := slices.Concat(old, []string{
		`host = "192.0.2.1"`, `host = "192.0.2.2"` + "\nimap = 1143",
		"[domains.", "[auth]\nfailure_message = \"No\"\n[domains.",
		`timezone = "UTC"`, `timezone = "Europe/Moscow"`, // another log on the same file
	})
	s := start(t, old...)

	stop := make(chan struct{})
	var asked atomic.Int64
	var clients sync.WaitGroup
	for name, d := range s.endpoints {
		for range 2 {
			clients.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					asked.Add(2)
					if err := askBoth(d); err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
				}
			})
		}
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := range 60 {
		<-tick.C
		if i%2 == 0 { // with another socket, too
			s.reload(append(changed, `http = [`, fmt.Sprintf("http = [%q, ", freeAddress(t)))...)
		} else {
			s.reload(old...)
		}
	}
	close(stop)
	clients.Wait()
	if got := strings.Count(s.readLog(), " auth_status="); got != int(asked.Load()) {
		t.Errorf("%d entries in the log for %d requests", got, asked.Load())
	}
}

// askBoth makes a good login and a bad one.
func askBoth(d endpoint) error {
	head, err := d.ask(good)
	if err != nil {
		return err
	}
	switch got := field(head, "Auth-Status") + " " + field(head, "Auth-Server") + " " + field(head, "Auth-Port"); got {
	case "OK 192.0.2.1 143", "OK 192.0.2.2 1143":
	default:
		return fmt.Errorf("good login got %q", head)
	}
	if head, err = d.ask(bad); err != nil {
		return err
	}
	if got := field(head, "Auth-Status"); got != failed && got != "No" {
		return fmt.Errorf("bad login got %q", head)
	}
	return nil
}

// A reload that is under way when Shutdown begins leaves nothing open.
func TestShutdownDuringReload(t *testing.T) {
	slow, quick := startSlowServer(t), startSlowServer(t)
	quick.release()
	text := slow.sections() + strings.ReplaceAll(quick.sections(), "slow", "quick")
	s := start(t, "[users.", text+"[users.")
	w := slow.waitingLogin(s.endpoints["unix"]) // Shutdown waits for it
	s.configure("[users.", text+"[servers.quick.verify]\nwarm = 1\n[users.")
	s.mu.Lock() // reload and Shutdown wait for it, in this order
	reloaded := make(chan error, 1)
	go func() { reloaded <- s.Reload() }()
	eventually(t, "the reload has begun", func() bool { return strings.Contains(ownGoroutines(), "server.(*Server).swap(") })
	done := s.shutdown()
	eventually(t, "the shutdown has begun", func() bool { return strings.Contains(ownGoroutines(), "server.(*Server).stopListening(") })
	s.mu.Unlock()
	if err := <-reloaded; err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = login("tim@quick.example", password)
	s.ServeHTTP(httptest.NewRecorder(), r)
	eventually(t, "a connection is kept warm", func() bool { return quick.open.Load() == 1 })
	slow.release()
	w.want(t, "OK")
	if err := <-done; err != nil {
		t.Error(err)
	}
	eventually(t, "no connection is left open", func() bool { return quick.open.Load() == 0 })
}
