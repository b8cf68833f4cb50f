package e2e

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The load of TestFailover. Clients go on until both numbers are reached.
const (
	failoverLogins  = 2000
	failoverStops   = 4
	failoverClients = 16
	failoverTimeout = 2 * time.Minute
)

// manyLogins are settings for Dovecot: by default each login costs it a process, and a user has ten connections at most.
const manyLogins = `
mail_max_userip_connections = 0
service imap {
  service_count = 1000
  process_min_avail = 2
}
`

// failover counts the answers to logins with the right password.
type failover struct {
	site          site
	first, second atomic.Int64 // good ones, by the server that checked them
	tempFails     atomic.Int64
	begun         atomic.Int64
	stopped       atomic.Bool // as often as it shall be
}

// TestFailover stops and starts one of two servers while users log in: one by a mail client, the others by requests
// like nginx's. No right password is rejected, whatever the server does while it stops.
func TestFailover(t *testing.T) {
	t.Parallel()
	a, b := prepareDovecot(t, 1, []account{bob}, manyLogins), prepareDovecot(t, 1, []account{bob}, manyLogins)
	a.run(t)
	b.run(t)
	f := &failover{site: newSite(t, tempDir(t))}
	startMailauthd(t, f.site, serverTOML("a", a)+"[servers.a.verify]\nwarm = 4\n"+serverTOML("b", b)+
		"\n[domains.\"domain1.com\"]\nservers = [\"a\", \"b\"]\nverify = \"upstream\"\n")
	startNginxHTTP(t, f.site, contrib(t, "nginx/auth-fastcgi.conf"))
	startFront(t, f.site, contrib(t, "nginx/mail.conf"))
	client := startRepeatedClient(t, f.site, bob)
	ctx, cancel := context.WithTimeout(t.Context(), failoverTimeout)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	begin := time.Now()
	for range failoverClients {
		clients.Go(func() { f.logIn(ctx, t, strconv.Itoa(a.imap), strconv.Itoa(b.imap)) })
	}
	for range failoverStops {
		f.stopAndStart(ctx, t, a)
	}
	f.stopped.Store(true)
	clients.Wait()
	took := time.Since(begin)
	first, second, tempFails := f.first.Load(), f.second.Load(), f.tempFails.Load()
	t.Logf("%d logins by %d clients in %.1f s, server a stopped %d times: %d checked by a, %d by b, %d temporary failures",
		first+second+tempFails, failoverClients, took.Seconds(), failoverStops, first, second, tempFails)
	seen := client.stop(t)
	t.Logf("a mail client behind nginx saw meanwhile: %v", seen)
	if wrong := seen["NO Invalid login or password"]; wrong > 0 || seen["OK"] == 0 {
		t.Errorf("a mail client with the right password: %v", seen)
	}
	if ctx.Err() != nil {
		t.Errorf("not done after %v", failoverTimeout)
	}
	if tempFails > failoverClients*failoverStops {
		t.Errorf("%d temporary failures: more than the logins in flight whenever the server stopped", tempFails)
	}
}

// logIn logs in until the test is over.
func (f *failover) logIn(ctx context.Context, t *testing.T, first, second string) {
	for ctx.Err() == nil && (f.begun.Add(1) <= failoverLogins || !f.stopped.Load()) {
		header, err := ask(f.site.auth, bob.user, bob.password)
		if err != nil {
			t.Errorf("no answer: %v", err)
			return
		}
		status, port := header.Get("Auth-Status"), header.Get("Auth-Port")
		switch {
		case status == "OK" && port == first:
			f.first.Add(1)
		case status == "OK" && port == second:
			f.second.Add(1)
		case strings.HasPrefix(status, "Temporary"):
			f.tempFails.Add(1)
		default:
			t.Errorf("the right password was answered with %q", fmt.Sprint(header))
			return
		}
	}
}

// stopAndStart stops and starts a server. It waits until logins go to the other one, and come back.
func (f *failover) stopAndStart(ctx context.Context, t *testing.T, a *dovecot) {
	t.Helper()
	a.stop(t)
	f.waitForMore(ctx, t, "second", &f.second)
	a.run(t)
	f.waitForMore(ctx, t, "first", &f.first)
}

// waitForMore waits for more good logins than those that may have been on their way.
func (f *failover) waitForMore(ctx context.Context, t *testing.T, name string, counter *atomic.Int64) {
	t.Helper()
	enough := counter.Load() + 2*failoverClients
	if !poll(clientTimeout, ctx.Done(), func() bool { return counter.Load() >= enough }) {
		t.Errorf("the %s server checks no logins", name)
	}
}
