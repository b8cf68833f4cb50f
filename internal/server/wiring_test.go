package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// proxied returns the request for a login through a load balancer that speaks the PROXY protocol, at the
// first attempt.
func proxied(client, pass string) http.Header {
	h := login("alice@users.example", pass)
	h["Client-Ip"], h["Proxy-Protocol-Addr"] = []string{"192.0.2.100"}, []string{client}
	h["Auth-Login-Attempt"] = []string{"1"}
	return h
}

// [throttle] and [auth] apply to requests, and a reload keeps the counts.
func TestThrottleAsConfigured(t *testing.T) {
	const section = `[auth]
client_ip = "Proxy-Protocol-Addr"
[throttle]
pair_limit = 2
user_limit = 0
network_limit = 0
ipv4_prefix = 24
ipv6_prefix = 48
trusted_networks = ["203.0.113.0/24"]
auth_wait = true
penalty = "3s"
max_penalty = "3s"
[users.`
	s := start(t, "[users.", section)
	for i := range 2 {
		for _, client := range []string{"198.51.100.%d", "2001:db8:0:%d::1", "203.0.113.%d"} {
			s.want("http", proxied(fmt.Sprintf(client, i), fmt.Sprint(client, i)), failed)
		}
	}
	held := func() {
		t.Helper()
		for client, status := range map[string]string{
			"198.51.100.9": failed, "198.51.101.1": "OK", "2001:db8:0:9::1": failed, "2001:db8:1::1": "OK", "203.0.113.1": "OK",
		} {
			s.want("unix", proxied(client, password), status)
		}
	}
	held()
	head, err := s.endpoints["tcp"].ask(proxied("198.51.102.1", "x"))
	if got := field(head, "Auth-Wait"); got != "3" || err != nil {
		t.Errorf("Auth-Wait %q, %v", got, err)
	}
	s.reload("[users.", section)
	held()
}

// With log_only no login is refused, and the log shows which would have been.
func TestThrottleOnlyLogs(t *testing.T) {
	s := start(t, `format = "legacy"`, `format = "logfmt"`, "[users.", "[throttle]\npair_limit = 1\nlog_only = true\n[users.")
	s.want("http", bad, failed)
	s.want("http", good, "OK")
	if log := s.readLog(); !strings.Contains(log, "outcome=ok throttle=pair ") {
		t.Errorf("log %s", log)
	}
}

// allowed_clients applies from the start.
func TestAllowedClients(t *testing.T) {
	s := start(t, `grace = "5s"`, "grace = \"5s\"\nallowed_clients = [\"192.0.2.0/24\"]")
	for name, open := range map[string]bool{"http": false, "tcp": false, "unix": true} {
		if head, _ := s.endpoints[name].ask(good); (head != "") != open {
			t.Errorf("%s: %q", name, head)
		}
	}
}

// The background probes of a configuration end with it.
func TestReloadEndsChecks(t *testing.T) {
	slow := startSlowServer(t)
	checked := []string{"[users.", slow.sections() + "[servers.slow.verify]\ncheck_interval = \"1h\"\n[users."}
	s := start(t, checked...)
	checks := func() int { return strings.Count(ownGoroutines(), "route.(*Health).probeServer(") }
	eventually(t, "the server is checked by each protocol", func() bool { return checks() == 3 })
	for range 20 {
		s.reload(checked...)
	}
	eventually(t, "checks of former configurations end", func() bool { return checks() == 3 })
}

// The limits in the package comment apply to net/http.
func TestHTTPLimits(t *testing.T) {
	s := start(t)
	s.want("http", good, "OK") // starts lumberjack's goroutine, which no bubble would see the end of
	request := "GET / HTTP/1.1\r\nHost: h\r\n"
	for _, tt := range []struct {
		name, request, want string
		ends                time.Duration
	}{
		{"nothing", "", "", HeaderTimeout},
		{"header not complete", request, "", HeaderTimeout},
		{"idle", request + "\r\n", "200 OK", IdleTimeout},
		{"header too long", request + "A: " + strings.Repeat("a", 2*MaxHeaderBytes) + "\r\n\r\n", "431 ", 0},
		{"too many lines", request + strings.Repeat("a:\r\n", 1000), "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := &Server{log: s.Server.log, events: s.Server.events, metrics: s.Server.metrics}
				inner.state.Store(s.state.Load())
				in := &pipe{conns: make(chan net.Conn), done: make(chan struct{})}
				l := inner.http(in, inner)
				go l.serve()
				client, server := net.Pipe()
				in.conns <- server
				begin := time.Now()
				go func() { _, _ = io.WriteString(client, tt.request) }()
				answer, _ := io.ReadAll(client)
				if took := time.Since(begin); took.Truncate(time.Second) != tt.ends || !strings.Contains(string(answer), tt.want) {
					t.Errorf("after %v %.100q, want %q after %v", took, answer, tt.want, tt.ends)
				}
				client.Close()
				if err := l.shutdown(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
