package e2e

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The load of TestTerminateUnderLoad.
const (
	stopClients = 4   // for each endpoint, and each way of using it
	stopAfter   = 500 // answers
	stopTime    = 8 * time.Second
)

// load has the logins of all clients. Each login has a client address of its own, which marks it in the log.
type load struct {
	next     atomic.Int32
	mu       sync.Mutex
	answered []string
	begun    []string // and not answered
}

// TestTerminateUnderLoad ends mailauthd while there are logins. Each login must get the usual answer or none. The log
// must have each answered login once.
func TestTerminateUnderLoad(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := startMailauthd(t, s, aliceTOML)
	l := new(load)
	var clients sync.WaitGroup
	for _, endpoint := range endpoints(s) {
		for range stopClients {
			clients.Go(func() { l.call(t, d, endpoint, 1<<30) })
			clients.Go(func() { l.call(t, d, endpoint, 1) })
		}
	}
	if !poll(clientTimeout, d.done, func() bool { return l.count() >= stopAfter }) {
		t.Errorf("%d logins are answered", l.count())
	}
	d.signal(t, syscall.SIGTERM)
	if !d.ended(stopTime) {
		t.Errorf("still running after %v", stopTime)
		d.kill()
	}
	clients.Wait()
	entries := make(map[string]int)
	for line := range strings.Lines(readFile(t, d.authLog)) {
		if _, client, ok := strings.Cut(line, ": Client-IP:     "); ok {
			entries[strings.TrimSpace(client)]++
		}
	}
	t.Logf("%d logins answered, %d not", len(l.answered), len(l.begun))
	for _, client := range l.answered {
		if entries[client] != 1 {
			t.Errorf("the login of %s was answered, and is in the log %d times", client, entries[client])
		}
	}
	for _, client := range l.begun {
		if entries[client] > 1 {
			t.Errorf("the login of %s is in the log %d times", client, entries[client])
		}
	}
}

// call logs in until mailauthd accepts no connections, on connections with as many logins as each says.
func (l *load) call(t *testing.T, d *daemon, endpoint endpoint, each int) {
	for !d.ended(0) {
		c, err := endpoint.dial()
		if err != nil {
			return
		}
		for i := 0; i < each && err == nil; i++ {
			err = l.login(t, c)
		}
		c.Close()
	}
}

func (l *load) login(t *testing.T, c *endpointConn) error {
	n := l.next.Add(1)
	client := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
	status, err := c.login(alice, client)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil && status == "OK":
		l.answered = append(l.answered, client)
		return nil
	case err == nil || errors.Is(err, errHalf):
		t.Errorf("%s: Auth-Status %q, %v", c.name, status, err)
	}
	l.begun = append(l.begun, client)
	return err
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.answered)
}

// TestTerminateTwice checks that a second signal ends mailauthd although a login is in flight.
func TestTerminateTwice(t *testing.T) {
	t.Parallel()
	s, server := newSite(t, tempDir(t)), startSlowServer(t)
	defer close(server.release)
	d := prepareMailauthd(t, s, fmt.Sprintf("[servers.dovecot1]\nhost = \"127.0.0.1\"\nimap = %d\n", server.port)+domainTOML("domain1.com", "upstream"))
	p := start(t, filepath.Dir(d.config), "terminated", binary, "serve", "-config", d.config)
	waitReady(t, p, s.http)
	c, err := endpoints(s)[2].dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answer := make(chan error, 1)
	go func() {
		_, err := c.login(bob, "127.0.0.1")
		answer <- err
	}()
	<-server.reached
	p.signal(t, syscall.SIGTERM)
	if !poll(5*time.Second, p.done, func() bool { return strings.Contains(readFile(t, p.stderr), "shutting down") }) {
		t.Fatal("it does not wait for the login")
	}
	p.signal(t, syscall.SIGTERM)
	if !p.ended(2 * time.Second) {
		t.Fatal("still running after the second SIGTERM")
	}
	var exit *exec.ExitError
	if !errors.As(p.err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", p.err)
	}
	if err := <-answer; err == nil || errors.Is(err, errHalf) {
		t.Errorf("the login that waited: %v", err)
	}
}
