package e2e

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// staleReplies has answers of a mail server that can be reached, and does not accept the login.
var staleReplies = map[string][]string{
	"imap": {"NO [CANNOT] no", "NO [PRIVACYREQUIRED] no", "NO [CLIENTBUG] no", "NO [UNAVAILABLE] no", "BAD no"},
	"pop3": {"-ERR [SYS/PERM] no", "-ERR [SYS/TEMP] no"},
	"smtp": {"534 5.7.9 no", "550 5.7.1 no", "454 4.7.0 no"},
}

// staleAccept has the answers that accept a login.
var staleAccept = map[string]string{"imap": "OK welcome", "pop3": "+OK welcome", "smtp": "235 2.7.0 welcome"}

// staleServer is a mail server whose answers change, with a mailauthd that asks it.
type staleServer struct {
	*scriptedServer
	site    site
	daemon  *daemon
	now     atomic.Pointer[scriptedReply] // to all users but those in replies
	replies sync.Map                      // by user
}

// startStale starts both. The users have logged in before, and [cache] ttl is one second.
func startStale(t *testing.T, protocol, verify string, users []string) *staleServer {
	t.Helper()
	s := &staleServer{}
	s.now.Store(&scriptedReply{line: staleAccept[protocol]})
	s.scriptedServer = startScripted(t, protocol, func(a account) scriptedReply {
		if line, ok := s.replies.Load(a.user); ok {
			return scriptedReply{line: line.(string)}
		}
		return *s.now.Load()
	})
	s.site, s.daemon = startLogfmt(t, "[cache]\nsize = 1000\nttl = \"1s\"\nnegative_ttl = \"0s\"\nstale_ttl = \"1h\"\n"+
		s.toml("scripted", verify)+"\n[domains.\"stale.example\"]\nservers = [\"scripted\"]\n")
	for _, user := range users {
		s.login(user).check(t, s.site.socket, "OK")
	}
	return s
}

func (s *staleServer) login(user string) loginRequest {
	return loginRequest{account: account{user, mark + "-stale"}, protocol: s.protocol}
}

// afterTTL logs in until the ttl of the remembered answer has ended. It returns the event.
func (s *staleServer) afterTTL(t *testing.T, user string) (event map[string]string) {
	t.Helper()
	old := func() bool {
		s.login(user).status(t, s.site.socket)
		event = s.daemon.lastEvent(t)
		return event["cache"] != "hit"
	}
	if !poll(clientTimeout, s.daemon.done, old) {
		t.Fatalf("%s: the answer still comes from memory", user)
	}
	return event
}

// TestStaleOnlyWhileUnreachable checks that a password that was right counts for stale_ttl while the mail server
// cannot be reached. The password must not count if the server answers, or is not asked because there is no slot.
func TestStaleOnlyWhileUnreachable(t *testing.T) {
	t.Parallel()
	for protocol, replies := range staleReplies {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			testStaleReplies(t, protocol, replies)
		})
	}
	t.Run("connection refused", func(t *testing.T) {
		t.Parallel()
		testStaleGone(t, func(s *staleServer) { s.listener.Close() })
	})
	t.Run("no greeting", func(t *testing.T) {
		t.Parallel()
		testStaleGone(t, func(s *staleServer) { s.mute.Store(true) })
	})
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		testStaleBusy(t)
	})
}

func testStaleReplies(t *testing.T, protocol string, replies []string) {
	users := numbered("user", len(replies))
	s := startStale(t, protocol, "", users)
	for i, line := range replies {
		s.replies.Store(users[i], line)
	}
	for i, line := range replies {
		if e := s.afterTTL(t, users[i]); e["auth_status"] != tempFailure || e["cache"] != "" {
			t.Errorf("the server answers %q: Auth-Status %q, cache %q, want a temporary failure", line, e["auth_status"], e["cache"])
		}
	}
}

func testStaleGone(t *testing.T, leave func(s *staleServer)) {
	s := startStale(t, "imap", "timeout = \"1s\"\nconnect_timeout = \"1s\"", numbered("user", 1))
	leave(s)
	if e := s.afterTTL(t, numbered("user", 1)[0]); e["auth_status"] != "OK" || e["cache"] != "stale" {
		t.Errorf("Auth-Status %q, cache %q, want a stale answer", e["auth_status"], e["cache"])
	}
}

// testStaleBusy sends more logins than may wait for the server.
func testStaleBusy(t *testing.T) {
	const floodLogins, users = 10, 10
	victims := numbered("victim", users)
	s := startStale(t, "imap", "max_connections = 2", append(victims, "last@stale.example"))
	s.now.Store(&scriptedReply{"NO [AUTHENTICATIONFAILED] no", 200 * time.Millisecond})
	for _, user := range victims {
		s.replies.Store(user, staleAccept["imap"])
	}
	s.afterTTL(t, "last@stale.example")
	over := make(chan struct{})
	var flood sync.WaitGroup
	for i := range floodLogins {
		flood.Go(func() { s.flood(t, fmt.Sprintf("flood%d", i), over) })
	}
	answers := func() bool { return strings.Contains(readFile(t, s.daemon.authLog), "auth_user=flood") }
	if !poll(clientTimeout, s.daemon.done, answers) {
		t.Error("the flood is not answered")
	}
	for _, user := range victims {
		status := s.login(user).status(t, s.site.socket)
		if e := s.daemon.eventOf(t, user); e["cache"] == "stale" || status != "OK" && status != tempFailure {
			t.Errorf("%s: Auth-Status %q, cache %q while the server answers", user, status, e["cache"])
		}
	}
	close(over)
	flood.Wait()
}

// flood logs in again and again, with another name each time.
func (s *staleServer) flood(t *testing.T, prefix string, over <-chan struct{}) {
	for i := 0; ; i++ {
		r := s.login(fmt.Sprintf("%s-%d@stale.example", prefix, i))
		r.client = floodAddress
		if _, _, err := r.ask(s.site.socket); err != nil {
			t.Error(err)
			return
		}
		select {
		case <-over:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func numbered(prefix string, n int) (users []string) {
	for i := range n {
		users = append(users, fmt.Sprintf("%s%d@stale.example", prefix, i))
	}
	return users
}

// eventOf returns the user's last event.
func (d *daemon) eventOf(t *testing.T, user string) (last map[string]string) {
	t.Helper()
	for _, e := range d.events(t) {
		if e["auth_user"] == user {
			last = e
		}
	}
	return last
}
