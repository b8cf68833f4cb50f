package e2e

import (
	"strings"
	"sync"
	"testing"
	"time"

	"mailauthd/internal/testport"
)

const (
	machinesLogins  = 200
	machinesAtOnce  = 8
	slowestFailover = 5 * time.Second // on a loaded machine; nginx needs milliseconds
)

// TestNextMachine kills the mailauthd of one machine with contrib/nginx/auth-machines.conf while users log in. Those of the
// others decide then, and no login fails or waits.
func TestNextMachine(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	other := newSite(t, tempDir(t))
	first := startMailauthd(t, s, aliceTOML)
	second := startMailauthd(t, other, aliceTOML)
	config := strings.ReplaceAll(contrib(t, "nginx/auth-machines.conf"), "192.0.2.2:9000", other.fastcgi)
	config = strings.ReplaceAll(config, "192.0.2.3:9000", loopback(testport.Free(t))) // it is down, too
	startNginxHTTP(t, s, config)
	checkAuthStatus(t, s, alice.user, alice.password, "OK")
	if n := entriesOf(t, second); n > 0 {
		t.Errorf("the second machine had %d logins while the first one answered", n)
	}
	var logins sync.WaitGroup
	killed := make(chan struct{})
	for range machinesAtOnce {
		logins.Go(func() {
			for i := range machinesLogins / machinesAtOnce {
				if i == machinesLogins/machinesAtOnce/2 {
					<-killed // half of the logins begin after it
				}
				begin := time.Now()
				header, err := ask(s.auth, alice.user, alice.password)
				if status := header.Get("Auth-Status"); err != nil || status != "OK" {
					t.Errorf("login: %q, %v", status, err)
				}
				if took := time.Since(begin); took > slowestFailover {
					t.Errorf("a login took %v", took)
				}
			}
		})
	}
	if !poll(readyTimeout, nil, func() bool { return entriesOf(t, first) > machinesAtOnce }) {
		t.Error("no logins on the first machine")
	}
	first.kill()
	first.process = nil // it was meant to end so
	close(killed)
	logins.Wait()
	if n := entriesOf(t, second); n < machinesLogins/2 {
		t.Errorf("%d logins on the second machine, want at least %d", n, machinesLogins/2)
	}
}

// entriesOf returns the number of logins in a log.
func entriesOf(t *testing.T, d *daemon) int {
	t.Helper()
	if !exists(d.authLog) {
		return 0
	}
	return strings.Count(readFile(t, d.authLog), "Auth-Status:")
}
