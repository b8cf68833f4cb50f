package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// adminSite is a site with a cache, an admin socket and a metrics socket.
type adminSite struct {
	*site
	edits           []string
	socket, metrics string
}

func startAdmin(t *testing.T) *adminSite {
	t.Helper()
	dir, err := os.MkdirTemp("", "admin")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	a := &adminSite{socket: filepath.Join(dir, "admin.sock"), metrics: freeAddress(t)}
	a.edits = []string{`grace = "5s"`, `grace = "5s"
admin = ["unix:` + a.socket + `"]
metrics = ["` + a.metrics + `"]
[cache]
size = 100`}
	a.site = start(t, a.edits...)
	return a
}

// request makes a request to the admin socket or another address.
func (a *adminSite) request(method, network, address, path string) (status int, body string) {
	a.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}}
	r, err := http.NewRequestWithContext(a.t.Context(), method, "http://mailauthd"+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, string(b)
}

// wantMetrics checks that the metrics have these lines.
func (a *adminSite) wantMetrics(lines ...string) {
	a.t.Helper()
	status, body := a.request("GET", "tcp", a.metrics, "/metrics")
	for _, line := range lines {
		if status != http.StatusOK || !strings.Contains(body, line+"\n") {
			a.t.Errorf("status %d, no line %s in\n%s", status, line, body)
		}
	}
}

func TestAdmin(t *testing.T) {
	s := startAdmin(t)
	if info, err := os.Stat(s.socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("admin socket: %v, %v", info, err)
	}
	for range 3 {
		s.want("http", good, "OK")
	}
	s.want("http", bad, failed)
	odd := login("alice@users.example", password)
	odd["Auth-Method"], odd["Auth-Protocol"] = []string{"s3cr3t"}, []string{"imap"}
	s.want("http", odd, failed)
	s.wantMetrics(
		`mailauthd_logins_total{method="plain",outcome="ok",protocol="imap",reason=""} 3`,
		`mailauthd_logins_total{method="plain",outcome="reject",protocol="imap",reason="password_mismatch"} 1`,
		`mailauthd_logins_total{method="other",outcome="reject",protocol="imap",reason="policy"} 1`,
		`mailauthd_login_duration_seconds_count{outcome="ok"} 3`,
		`mailauthd_cache_answers_total{cache="hit"} 2`,
		`mailauthd_hashes_total 2`,
		`mailauthd_cache_entries{kind="good"} 1`,
		`mailauthd_cache_entries{kind="bad"} 1`,
		`mailauthd_reloads_total{result="done"} 1`,
	)
	if _, body := s.request("GET", "unix", s.socket, "/metrics"); !strings.Contains(body, "mailauthd_logins_total") || strings.Contains(body, "s3cr3t") {
		t.Errorf("metrics %s", body)
	}
	s.request("POST", "tcp", s.metrics, "/cache/flush") // the metrics socket has only metrics and the status
	s.wantMetrics(`mailauthd_cache_entries{kind="good"} 1`)
	if status, _ := s.request("GET", "unix", s.socket, "/cache/flush"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET flushed: status %d", status)
	}
	for _, tt := range [][2]string{{"bob@*", "forgot 0 answers\n"}, {"", "forgot 2 answers\n"}} {
		if status, body := s.request("POST", "unix", s.socket, "/cache/flush?mask="+tt[0]); status != http.StatusOK || body != tt[1] {
			t.Errorf("flush %q: %d %s", tt[0], status, body)
		}
	}
	s.wantMetrics(`mailauthd_cache_entries{kind="good"} 0`)
}

func TestThrottleReset(t *testing.T) {
	s := startAdmin(t)
	if status, _ := s.request("POST", "unix", s.socket, "/throttle/reset?of=alice@users.example"); status != http.StatusConflict {
		t.Errorf("without a throttle: status %d", status)
	}
	s.reload(append(s.edits, "[users.", "[throttle]\npair_limit = 1\n[users.")...)
	s.want("http", bad, failed)
	s.want("http", good, failed)
	if status, _ := s.request("POST", "unix", s.socket, "/throttle/reset?of=a@%0A"); status != http.StatusBadRequest {
		t.Errorf("no name: status %d", status)
	}
	status, body := s.request("POST", "unix", s.socket, "/throttle/reset?of=alice@users.example")
	if status != http.StatusOK || body != "forgot 2 counters\n" {
		t.Errorf("status %d, %s", status, body)
	}
	s.want("http", good, "OK")
}

// The notes on a login change nothing, and a user name cannot forge a line.
func TestLoginNotes(t *testing.T) {
	s := startAdmin(t)
	s.reload(append(s.edits, "[users.", "[throttle]\npair_limit = 1\n[users.")...)
	ask := func(user string) string {
		status, body := s.request("GET", "unix", s.socket, "/login?client_ip=203.0.113.5&protocol=imap&user="+user)
		if status != http.StatusOK {
			s.t.Errorf("status %d", status)
		}
		return body
	}
	if got := ask("alice@users.example"); got != "" {
		t.Errorf("before any login: %s", got)
	}
	s.want("http", bad, failed)
	want := "[throttle] rejects this login: 1 different wrong passwords of this pair, the limit is 1; "
	for range 2 {
		got := ask("alice@users.example")
		if !strings.HasPrefix(got, want) || !strings.Contains(got, "\n[cache] remembers 0 right and 1 refused passwords") {
			t.Errorf("notes %s", got)
		}
	}
	s.wantMetrics(`mailauthd_logins_total{method="plain",outcome="reject",protocol="imap",reason="password_mismatch"} 1`)
	if got := ask("a%0Ab@users.example"); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "policy: ") {
		t.Errorf("a name of two lines: %q", got)
	}
	if status, _ := s.request("GET", "tcp", s.endpoints["http"].address, "/login?user=alice@users.example"); status != http.StatusOK {
		t.Errorf("status %d", status) // a login like any other: only the admin socket has notes
	}
}

// During a shadow run the notes say whose answer nginx gets.
func TestLoginNotesOfShadow(t *testing.T) {
	s, script := startAdmin(t), startScript(t)
	for answer, want := range map[string]string{"theirs": "[shadow] answer = \"theirs\": nginx gets the answer of the old script, not this one\n", "ours": ""} {
		edit, _ := script.shadowed(t, answer)
		s.reload(append(s.edits, edit...)...)
		if _, got := s.request("GET", "unix", s.socket, "/login?client_ip=203.0.113.5&protocol=imap&user=alice@users.example"); got != want {
			t.Errorf("%s: %q, want %q", answer, got, want)
		}
	}
}

// A reload keeps the cache, unless its settings change.
func TestReloadKeepsTheCache(t *testing.T) {
	s := startAdmin(t)
	s.want("http", good, "OK")
	s.reload(s.edits...)
	s.want("http", good, "OK")
	s.wantMetrics(`mailauthd_cache_answers_total{cache="hit"} 1`)
	s.reload(append(s.edits, "{PLAIN}right+%20", "{PLAIN}another")...)
	s.want("http", good, failed)
	s.reload(append(s.edits, "size = 100", "size = 0")...)
	s.want("http", good, "OK")
	if status, _ := s.request("POST", "unix", s.socket, "/cache/flush"); status != http.StatusConflict {
		t.Errorf("flush without a cache: status %d", status)
	}
	if s.Reload() != nil {
		t.Error("not reloaded")
	}
	s.configure("[listen]", "[listn]")
	if s.Reload() == nil {
		t.Error("reloaded")
	}
	s.wantMetrics(`mailauthd_reloads_total{result="done"} 5`, `mailauthd_reloads_total{result="refused"} 1`)
}
