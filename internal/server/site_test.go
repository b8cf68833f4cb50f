package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// password is that of alice@users.example.
const password = "right+%20"

// common is what every configuration here holds besides [listen] and [log].
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
	t     *testing.T
	path  string // of the configuration
	log   string // the path of auth.log
	said  *output
	doors map[string]door
}

// start runs a server with doors of all kinds: "http", "tcp" and "unix", the last
// two with FastCGI. Of the configuration, edits are pairs of what to replace and by what.
func start(t *testing.T, edits ...string) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "server") // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &site{
		t:    t,
		path: filepath.Join(dir, "mailauthd.toml"),
		log:  filepath.Join(dir, "auth.log"),
		said: new(output),
		doors: map[string]door{
			"http": {"tcp", freeAddress(t), overHTTP},
			"tcp":  {"tcp", freeAddress(t), overFastCGI},
			"unix": {"unix", filepath.Join(dir, "fastcgi.sock"), overFastCGI},
		},
	}
	s.configure(edits...)
	if s.Server, err = Start(s.path, slog.New(slog.NewTextHandler(s.said, nil))); err != nil {
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
`, s.doors["unix"].address, s.doors["tcp"].address, s.doors["http"].address, s.log) + common
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

// want asks at a door, and wants this Auth-Status.
func (s *site) want(door string, h http.Header, status string) {
	s.t.Helper()
	head, err := s.doors[door].ask(h)
	if got := field(head, "Auth-Status"); err != nil || got != status {
		s.t.Errorf("%s: Auth-Status = %q, %v; want %q", door, got, err, status)
	}
}

// wantEverywhere asks at all doors.
func (s *site) wantEverywhere(h http.Header, status string) {
	s.t.Helper()
	for door := range s.doors {
		s.want(door, h, status)
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

// login is the request for one IMAP login.
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

// ports are handed out upwards, below the range that the kernel takes outgoing ones from.
var ports = func() *atomic.Int32 {
	var next atomic.Int32
	next.Store(29000 + int32(os.Getpid()%30)*100)
	return &next
}()

// freeAddress is one where nobody listens: [listen] takes no port 0.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", ports.Add(1))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

// eventually asks until the answer is yes, for no longer than 10 s.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); !yes(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// output collects what the server says.
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
