package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// systemd plays systemd: it keeps sockets open while mailauthd is restarted, and receives what mailauthd tells it.
type systemd struct {
	sockets []*os.File
	names   string // FileDescriptorName= of each, with colons
	notify  *net.UnixConn
	told    chan string
}

// startSystemd opens the sockets of a site.
func startSystemd(t *testing.T, s site) *systemd {
	t.Helper()
	d := &systemd{names: "fastcgi:fastcgi:http", told: make(chan string, 1000)}
	for _, at := range []struct{ network, address string }{{"unix", s.socket}, {"tcp", s.fastcgi}, {"tcp", s.http}} {
		l, err := net.Listen(at.network, at.address)
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		d.sockets = append(d.sockets, f)
		t.Cleanup(func() { l.Close(); f.Close() })
	}
	if err := os.Chmod(s.socket, 0o666); err != nil { // SocketMode=
		t.Fatal(err)
	}
	var err error
	d.notify, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(filepath.Dir(s.socket), "notify.sock"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.notify.Close() })
	go d.receive()
	return d
}

func (d *systemd) receive() {
	defer close(d.told)
	for b := make([]byte, 4096); ; {
		n, err := d.notify.Read(b)
		if err != nil {
			return
		}
		d.told <- string(b[:n])
	}
}

// wait waits for a message with a line.
func (d *systemd) wait(t *testing.T, line string) string {
	t.Helper()
	timeout := time.After(clientTimeout)
	for {
		select {
		case message := <-d.told:
			if strings.HasPrefix(message, line) {
				return message
			}
		case <-timeout:
			t.Fatalf("mailauthd has not told systemd %s", line)
		}
	}
}

// start starts mailauthd as systemd does. LISTEN_PID must be its process ID, so a shell sets it.
func (d *systemd) start(t *testing.T, m *daemon) {
	t.Helper()
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, binary, "serve", "-config", m.config)
	cmd.Env = append(os.Environ(), fmt.Sprintf("LISTEN_FDS=%d", len(d.sockets)), "LISTEN_FDNAMES="+d.names,
		"NOTIFY_SOCKET="+d.notify.LocalAddr().String(), "WATCHDOG_USEC=2000000")
	cmd.ExtraFiles = d.sockets
	m.process = startCommand(t, filepath.Dir(m.config), "mailauthd", cmd)
	m.logs = append(m.logs, m.authLog)
	d.wait(t, "READY=1")
}

const restarts = 20

// TestRestartsLoseNothing restarts mailauthd under load, while systemd holds its sockets. Each login is answered:
// through nginx and directly, over FastCGI and HTTP, each on a connection of its own.
func TestRestartsLoseNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := startSystemd(t, s)
	m := prepareMailauthd(t, s, aliceTOML)
	d.start(t, m)
	startNginxHTTP(t, s, contrib(t, "nginx/auth-fastcgi.conf"))
	ways := map[string]func() error{"nginx": func() error { return askOnce(s.auth) }}
	for _, e := range endpoints(s) {
		ways[e.name] = func() error { return loginOnce(e) }
	}
	var answered atomic.Int64
	var stop atomic.Bool
	var clients sync.WaitGroup
	for name, login := range ways {
		for range 2 {
			clients.Go(func() {
				for !stop.Load() {
					if err := login(); err != nil {
						t.Errorf("%s: %v", name, err)
						return
					}
					answered.Add(1)
				}
			})
		}
	}
	for range restarts {
		before := answered.Load()
		m.signal(t, syscall.SIGTERM)
		if !m.ended(stopTime) {
			t.Errorf("still running after %v", stopTime)
			m.kill()
		}
		d.start(t, m)
		if !poll(clientTimeout, m.done, func() bool { return answered.Load() > before+20 }) {
			t.Error("no logins after a restart")
		}
	}
	stop.Store(true)
	clients.Wait()
	t.Logf("%d logins, %d restarts", answered.Load(), restarts)
}

func askOnce(address string) error {
	header, err := ask(address, alice.user, alice.password)
	return wantOK(header.Get("Auth-Status"), err)
}

func loginOnce(e endpoint) error {
	c, err := e.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	status, err := c.login(alice, "127.0.0.1")
	return wantOK(status, err)
}

func wantOK(status string, err error) error {
	if err == nil && status != "OK" {
		err = fmt.Errorf("Auth-Status %q", status)
	}
	return err
}

// TestSystemdIsTold checks what mailauthd tells systemd: about reloads, its watchdog, and a socket that it does not use.
func TestSystemdIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := startSystemd(t, s)
	m := prepareMailauthd(t, s, aliceTOML)
	d.start(t, m)
	d.wait(t, "WATCHDOG=1")
	config := readFile(t, m.config)

	d.reload(t, m, strings.Replace(config, fmt.Sprintf("http    = [%q]", s.http), "", 1))
	if got := d.wait(t, "READY=1"); !strings.Contains(got, "\nSTATUS=servers: 1, domains: 1, users: 1") {
		t.Errorf("a reload ended with %q", got)
	}
	unused := func() bool { return strings.Contains(readFile(t, m.stderr), `"http\" at `+s.http) }
	if !poll(clientTimeout, m.done, unused) {
		t.Error("standard error does not name the socket that is not in [listen]")
	}
	if !accepts(s.http) || !endpoints(s)[0].letsIn(alice) {
		t.Error("a reload has closed a socket of systemd")
	}

	d.reload(t, m, config+"verify = \"sometimes\"\n")
	if got := d.wait(t, "READY=1"); !strings.Contains(got, "\nSTATUS=the old configuration stays in use: "+m.config) {
		t.Errorf("a broken reload ended with %q", got)
	}
	d.reload(t, m, config)
	d.wait(t, "READY=1")
	endpoints(s)[2].check(t, alice, "OK") // also what waited while the socket was not in [listen]
	m.signal(t, syscall.SIGTERM)
	d.wait(t, "STOPPING=1")
	if !m.ended(stopTime) {
		t.Errorf("still running after %v", stopTime)
	}
}

func (d *systemd) reload(t *testing.T, m *daemon, config string) {
	t.Helper()
	if err := os.WriteFile(m.config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	m.signal(t, syscall.SIGHUP)
	if got := d.wait(t, "RELOADING=1"); !strings.Contains(got, "\nMONOTONIC_USEC=") {
		t.Errorf("a reload began with %q", got)
	}
}
