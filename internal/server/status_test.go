package server

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/status"
)

// snapshotOf asks for the status as JSON.
func (a *adminSite) snapshotOf(network, address string) (p status.Snapshot) {
	a.t.Helper()
	code, body := a.request("GET", network, address, "/status?json&full")
	if err := json.Unmarshal([]byte(body), &p); err != nil || code != http.StatusOK {
		a.t.Fatalf("status %d, %v: %s", code, err, body)
	}
	return p
}

// down is a configuration of a server that does not listen, with its domain.
func down(t *testing.T) string {
	return fmt.Sprintf("[domains.\"down.example\"]\nservers = [\"down\"]\n[servers.down]\nhost = \"127.0.0.1\"\nimap = %s\n[servers.down.verify]\nprotocol = \"imap\"\n[users.",
		strings.TrimPrefix(freeAddress(t), "127.0.0.1:"))
}

// The status has what happened: logins, servers, sockets, the log and reloads.
func TestStatusFigures(t *testing.T) {
	s := startAdmin(t)
	s.reload(append(s.edits, "[users.", down(t))...)
	s.configure("[listen]", "[listn]")
	if s.Reload() == nil {
		t.Fatal("reloaded")
	}
	for range 3 {
		s.want("http", good, "OK")
	}
	s.want("tcp", bad, failed)
	for range route.MaxFails {
		s.want("unix", login("tim@down.example", password), trouble)
	}
	p := s.snapshotOf("unix", s.socket)
	if l := p.Logins[2]; l.Name != "day" || l.OK != 3 || l.Reject != 1 || l.TempFail != 3 || l.Cached != 2 || l.Reasons["password_mismatch"] != 1 || l.Max <= 0 {
		t.Errorf("logins %+v", l)
	}
	if p.Version != "v1" || p.AcceptedConn != 7 || p.MaxActiveRequests < 1 || p.ActiveRequests != 0 || p.Cache != (status.Cache{Size: 100, Good: 1, Bad: 1}) {
		t.Errorf("snapshot %+v", p)
	}
	if r := p.Reloads; r.Done != 2 || r.Refused != 1 || !strings.Contains(r.LastError, "listn") || r.Last == 0 {
		t.Errorf("reloads %+v", r)
	}
	if l := p.Log; l.File != s.log || l.Size == 0 || l.Lost != 0 || l.Error != "" {
		t.Errorf("log %+v", l)
	}
	servers := make(map[string]status.Server)
	for _, v := range p.Servers {
		servers[v.Name+" "+v.Protocol] = v
	}
	if v := servers["down imap"]; len(p.Servers) != 4 || v.Up || v.Since == 0 || v.Retry == 0 || !strings.Contains(v.LastError, "connection refused") || !servers["box1 imap"].Up {
		t.Errorf("servers %+v", servers)
	}
	if f := p.Recent; len(f) != 4 || f[0].User != "tim@down.example" || f[0].Client != "203.0.113.5" || f[0].Server != "down" || f[3].User != "alice@users.example" {
		t.Errorf("recent %+v", f)
	}
	for _, l := range p.Listeners {
		if strings.HasPrefix(l.Name, "http ") && (l.Requests != 3 || l.AcceptedConn != 3) || strings.HasPrefix(l.Name, "fastcgi unix") && l.Requests != 3 {
			t.Errorf("listener %+v", l)
		}
	}
}

// Names are shown on the admin socket and to the networks in status_full, and to nobody else.
func TestStatusMasksNames(t *testing.T) {
	s := startAdmin(t)
	s.want("http", bad, failed)
	see := func(network, address, path string, names bool) {
		t.Helper()
		code, body := s.request("GET", network, address, path)
		if code != http.StatusOK || strings.Contains(body, "alice") != names || strings.Contains(body, "203.0.113.5") != names || !names && !strings.Contains(body, "a…@users.example") {
			t.Errorf("%s: status %d, names %t wanted: %s", path, code, names, body)
		}
	}
	paths := []string{"/status?full", "/status?json&full", "/status?full&html"}
	for _, path := range paths {
		see("tcp", s.metrics, path, false)
		see("unix", s.socket, path, true)
	}
	for nets, names := range map[string]bool{"192.0.2.0/24": false, "127.0.0.0/8": true} {
		s.reload(append(s.edits, "[cache]", "status_full = [\""+nets+"\"]\n[cache]")...)
		for _, path := range paths {
			see("tcp", s.metrics, path, names)
		}
	}
}

// What is not a configured domain may be a password, also if "*" sends it to a passdb.
func TestStatusMasksUnlistedDomains(t *testing.T) {
	s := startAdmin(t)
	s.reload(append(s.edits, "[users.", "[passdb.vmail]\ndriver = \"pgsql\"\nconnect = \"host=127.0.0.1 port=1\"\nquery = \"SELECT password FROM m WHERE u = %{user}\"\n"+
		"[domains.\"*\"]\nservers = [\"box1\"]\nverify = \"vmail\"\n[users.")...)
	s.want("http", login("p@hunter2", password), trouble)
	s.want("http", login("alice@Users.Example", "wrong"), failed)
	for _, path := range []string{"/status?full", "/status?json&full", "/status?full&html"} {
		if code, body := s.request("GET", "tcp", s.metrics, path); code != http.StatusOK || strings.Contains(body, "hunter2") || !strings.Contains(body, "a…@Users.Example") {
			t.Errorf("%s: status %d: %s", path, code, body)
		}
	}
}

// A query of garbage is a bad request, and so is any path but four.
func TestStatusRefusesGarbage(t *testing.T) {
	s := startAdmin(t)
	for path, want := range map[string]int{
		"/status": 200, "/status?json": 200, "/status?html&sort=servers.1": 200, "/ping": 200, "/health": 200, "/metrics": 200,
		"/status?xml": 400, "/status?full=1": 400, "/status?html&sort=../../etc": 400, "/status?%00": 400, "/status?" + strings.Repeat("a", 10000): 400,
		"/ping?x": 400, "/health?x": 400, "/metrics?x": 400, "/": 404, "/status/x": 404, "/login?user=x": 404,
	} {
		if got, body := s.request("GET", "tcp", s.metrics, path); got != want || want == 400 && strings.Contains(body, "etc") {
			t.Errorf("%.40s: status %d, want %d: %.80s", path, got, want, body)
		}
	}
	if code, body := s.request("GET", "tcp", s.metrics, "/ping"); code != 200 || body != "pong\n" {
		t.Errorf("ping: %d %q", code, body)
	}
}

// The sockets for metrics and the status are open to allowed_clients only.
func TestStatusOnlyForAllowedClients(t *testing.T) {
	s := startAdmin(t)
	for nets, open := range map[string]bool{"192.0.2.0/24": false, "127.0.0.1": true} {
		s.reload(append(s.edits, "[cache]", "allowed_clients = [\""+nets+"\"]\n[cache]")...)
		for _, path := range []string{"/metrics", "/ping", "/health", "/status"} {
			head, _ := endpoint{"tcp", s.metrics, overHTTP}.askPath(path)
			if got := strings.HasPrefix(head, "HTTP/1.0 200"); got != open {
				t.Errorf("%s with allowed_clients %s: %q", path, nets, head)
			}
		}
	}
	for _, l := range s.snapshotOf("unix", s.socket).Listeners {
		if strings.HasPrefix(l.Name, "metrics ") && l.Refused != 4 {
			t.Errorf("listener %+v", l)
		}
	}
}

// askPath makes a GET request to a path.
func (d endpoint) askPath(path string) (string, error) {
	c, err := d.dial()
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.0\r\n\r\n", path); err != nil {
		return "", err
	}
	b := make([]byte, 100)
	n, err := c.Read(b)
	return string(b[:n]), err
}

// The health is bad when no login can be decided or logged, and only then.
func TestHealth(t *testing.T) {
	s := startAdmin(t)
	want := func(code int, problems ...string) {
		t.Helper()
		s.tally.mu.Lock()
		s.tally.checked = time.Time{}
		s.tally.mu.Unlock()
		got, body := s.request("GET", "tcp", s.metrics, "/health")
		var h health
		if err := json.Unmarshal([]byte(body), &h); err != nil || got != code || h.OK != (code == 200) || len(h.Problems) != len(problems) {
			t.Errorf("status %d, %v, want %d: %s", got, err, code, body)
			return
		}
		for i, p := range problems {
			if what, text, _ := strings.Cut(p, ": "); h.Problems[i].What != what || !strings.Contains(h.Problems[i].Error, text) {
				t.Errorf("problem %+v, want %s", h.Problems[i], p)
			}
		}
	}
	want(200)
	s.reload(append(s.edits, "[users.", down(t))...)
	fail := func() {
		for range route.MaxFails {
			s.want("http", login("tim@down.example", password), trouble)
		}
	}
	fail()
	want(200, "server down imap: connection refused") // the other domain is well
	s.reload(append(s.edits, "[servers.box1]\nhost = \"192.0.2.1\"\n\n[domains.\"users.example\"]\nservers = [\"box1\"]\nverify = \"users\"\n\n[users.\"alice@users.example\"]\npassword = \"{PLAIN}right+%20\"\n",
		strings.TrimSuffix(down(t), "[users."))...)
	fail()
	want(503, "server down imap: connection refused", "domains: set aside")
	s.reload(s.edits...)
	want(200)
	if err := os.Remove(s.log); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.log, 0o755); err != nil {
		t.Fatal(err)
	}
	want(503, "log: not a regular file")
}

// The page needs nothing but itself, and a browser must not load anything else.
func TestStatusPageIsLockedUp(t *testing.T) {
	s := startAdmin(t)
	response, err := http.Get("http://" + s.metrics + "/status?html&full")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	h := response.Header
	if policy := h.Get("Content-Security-Policy"); policy != status.ContentSecurityPolicy() || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("header %v", h)
	}
}

// BenchmarkLogin is a good login, decided and logged, with and without what the status page counts.
func BenchmarkLogin(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "m.toml")
	text := "[listen]\nhttp = [\"unix:" + dir + "/s\"]\n[log]\nfile = \"" + dir + "/auth.log\"\n" + common
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	s, err := Start(path, "v1", slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Shutdown()
	st := s.state.Load()
	for name, record := range map[string]func(*authlog.Event){
		"with status":    s.record,
		"without status": func(e *authlog.Event) { s.events.Write(e); s.metrics.count(e) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, event := st.auth.Answer(b.Context(), good)
				record(&event)
			}
		})
	}
}
