package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mailauthd/internal/testport"
)

// password is the password of alice@users.example.
const password = "right+%20"

// common is the part of every configuration besides [listen] and [log].
const common = `
[servers.box1]
host = "192.0.2.1"

[domains."users.example"]
servers = ["box1"]
verify = "users"

[users."alice@users.example"]
password = "{PLAIN}right+%20"
`

// site is a running server with its configuration.
type site struct {
	*Server
	t         *testing.T
	path      string // of the configuration
	log       string // the path of auth.log
	stderr    *output
	endpoints map[string]endpoint
}

// start runs a server with endpoints of all kinds: "http", "tcp" and "unix", the last two with FastCGI.
// The edits are pairs of texts: in the configuration, the first is replaced by the second.
func start(t *testing.T, edits ...string) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "server") // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &site{
		t:      t,
		path:   filepath.Join(dir, "mailauthd.toml"),
		log:    filepath.Join(dir, "auth.log"),
		stderr: new(output),
		endpoints: map[string]endpoint{
			"http": {"tcp", freeAddress(t), overHTTP},
			"tcp":  {"tcp", freeAddress(t), overFastCGI},
			"unix": {"unix", filepath.Join(dir, "fastcgi.sock"), overFastCGI},
		},
	}
	s.configure(edits...)
	if s.Server, err = Start(s.path, "v1", slog.New(slog.NewTextHandler(s.stderr, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown() })
	return s
}

// configure writes the configuration.
func (s *site) configure(edits ...string) {
	s.t.Helper()
	text := fmt.Sprintf(`
[listen]
fastcgi = ["unix:%s", %q]
http = [%q]
grace = "5s"

[log]
file = %q
format = "legacy"
timezone = "UTC"
`, s.endpoints["unix"].address, s.endpoints["tcp"].address, s.endpoints["http"].address, s.log) + common
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			s.t.Fatalf("nothing to replace: %s", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	if err := os.WriteFile(s.path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// reload writes a configuration and loads it.
func (s *site) reload(edits ...string) {
	s.t.Helper()
	s.configure(edits...)
	if err := s.Reload(); err != nil {
		s.t.Fatal(err)
	}
}

// want makes a request to an endpoint and checks the Auth-Status.
func (s *site) want(endpoint string, h http.Header, status string) {
	s.t.Helper()
	head, err := s.endpoints[endpoint].ask(h)
	if got := field(head, "Auth-Status"); err != nil || got != status {
		s.t.Errorf("%s: Auth-Status = %q, %v; want %q", endpoint, got, err, status)
	}
}

// wantEverywhere does the same at all endpoints.
func (s *site) wantEverywhere(h http.Header, status string) {
	s.t.Helper()
	for endpoint := range s.endpoints {
		s.want(endpoint, h, status)
	}
}

func (s *site) readLog() string {
	s.t.Helper()
	b, err := os.ReadFile(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// login returns the request for one IMAP login.
func login(user, pass string) http.Header {
	return http.Header{
		"Auth-Method":        {"plain"},
		"Auth-User":          {user},
		"Auth-Pass":          {strings.ReplaceAll(pass, "%", "%25")},
		"Auth-Protocol":      {"imap"},
		"Auth-Login-Attempt": {"1"},
		"Client-Ip":          {"203.0.113.5"},
	}
}

const (
	failed  = "Invalid login or password"
	trouble = "Temporary authentication failure"
)

var (
	good = login("alice@users.example", password)
	bad  = login("alice@users.example", "wrong")
)

// freeAddress returns an address where no process listens, because [listen] does not allow port 0.
func freeAddress(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", testport.Free(t))
}

// eventually polls until yes returns true, for at most 10 s.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !yes(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("timeout: %s", what)
		}
	}
}

// output is the standard error of the server.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
