package server

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Under load every answer is that of one whole configuration, the old or the new
// one; no connection to a socket that stays is lost, and no entry of the log.
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
	for name, d := range s.doors {
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
		if i%2 == 0 { // with one more socket, too
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
func askBoth(d door) error {
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
