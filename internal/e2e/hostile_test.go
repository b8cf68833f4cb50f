package e2e

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Bounds of TestHostilePeers.
const (
	hostileMemory  = 64               // MiB, of mailauthd at its peak
	hostileEnd     = 12 * time.Second // until their connections are gone: RequestTimeout is 10 s
	hostileLogins  = 100              // honest ones, before
	slowestUsual   = time.Millisecond // a quiet machine is faster
	hostileRetries = 3                // of an attack during which honest logins were slow
)

// TestHostilePeers plays each attack, and then all at once, while there are requests that never end. Honest logins
// must be about as fast as before.
func TestHostilePeers(t *testing.T) {
	s, d := startPlain(t, aliceTOML)
	usual := honest(t, s.socket, hostileLogins, nil)
	t.Logf("an honest login took %v", usual)
	sockets := openSockets(t, d.process)
	kept := neverFinished(t, s.socket, 700)
	for _, a := range append(attacks(), attack{name: allAttacks}) {
		took := under(t, s.socket, a.name)
		for range hostileRetries {
			if took > 5*max(usual, slowestUsual) { // another program may have kept the processors busy
				took = min(took, under(t, s.socket, a.name))
			}
		}
		t.Logf("%v under attack: %s", took, a.name)
		if took > 5*max(usual, slowestUsual) {
			t.Errorf("an honest login took %v, and %v under attack: %s", usual, took, a.name)
		}
	}
	_, peak := memory(t, d.process)
	t.Logf("%.1f MiB at the peak", peak)
	if peak > hostileMemory {
		t.Errorf("mailauthd took %.1f MiB, more than %d", peak, hostileMemory)
	}
	gone := func() bool { return openSockets(t, d.process) <= sockets }
	if !poll(hostileEnd, d.done, gone) {
		t.Errorf("%d sockets are open, %d were before", openSockets(t, d.process), sockets)
	}
	for _, c := range kept {
		c.Close()
	}
	honest(t, s.socket, 1, nil)
}

// under returns the median time of honest logins during an attack. In reality attackers have their own
// machines, so here they run with a low priority.
func under(t *testing.T, socket, name string) time.Duration {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, "nice"), "-n", "19", self)
	cmd.Env = append(os.Environ(), attackSocket+"="+socket, attackName+"="+name)
	cmd.Stderr, cmd.SysProcAttr = os.Stderr, procAttr()
	says, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	_, begun := io.ReadFull(says, make([]byte, 1))
	go func() {
		defer close(over)
		_, _ = io.ReadFull(says, make([]byte, 1))
	}()
	took := honest(t, socket, 1<<20, over)
	if err := errors.Join(begun, cmd.Wait()); err != nil {
		t.Errorf("attack %q: %v", name, err)
	}
	return took
}

// startPlain starts mailauthd without the race detector, as administrators do.
func startPlain(t *testing.T, routing string) (site, *daemon) {
	t.Helper()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, routing)
	plain, err := plainBinary()
	if err != nil {
		t.Fatal(err)
	}
	d.process = start(t, filepath.Dir(d.config), "mailauthd", plain, "serve", "-config", d.config)
	waitReady(t, d.process, s.socket, s.fastcgi, s.http)
	return s, d
}

// honest logs in, n times or until stop, and returns the median of the times.
func honest(t *testing.T, socket string, n int, stop <-chan struct{}) time.Duration {
	t.Helper()
	var times []time.Duration
	for range n {
		took, err := askFastCGI(socket, alice)
		if err != nil {
			t.Errorf("honest login %d: %v", len(times)+1, err)
		}
		times = append(times, took)
		select {
		case <-stop:
			return median(times)
		case <-time.After(time.Millisecond):
		}
	}
	return median(times)
}

// neverFinished opens connections, each with an incomplete request of up to 60 KB.
func neverFinished(t *testing.T, socket string, n int) []net.Conn {
	t.Helper()
	var conns []net.Conn
	for i := range n {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		send(c, record(beginRequest, 1, keepConnection), record(paramsRecord, 1, strings.Repeat("p", 1+i%2*60000)))
	}
	return conns
}

// openSockets returns the number of a process's open sockets, listeners included.
func openSockets(tb testing.TB, p *process) (n int) {
	tb.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
