package e2e

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Bounds of TestHostilePeers.
const (
	hostileTime   = 150 * time.Millisecond // of each attack
	hostilePause  = 5 * time.Millisecond   // of a peer before it connects again
	hostileMemory = 64                     // MiB, of mailauthd at its peak
	hostileEnd    = 12 * time.Second       // until their connections are gone: RequestTimeout is 10 s
	hostileLogins = 100                    // honest ones, before
	slowestUsual  = time.Millisecond       // a quiet machine is faster
)

// attack is a game that hostile peers play against the FastCGI socket, again and again on a number of
// connections. It returns when the connection is of no more use.
type attack struct {
	name  string
	peers int
	play  func(c net.Conn)
}

// send writes until it is cut off.
func send(c net.Conn, parts ...string) bool {
	for _, p := range parts {
		if _, err := io.WriteString(c, p); err != nil {
			return false
		}
	}
	return true
}

// sendAll writes, and reads what comes back, until the other side ends the connection.
func sendAll(c net.Conn, parts ...string) {
	go func() { send(c, parts...) }()
	_, _ = io.Copy(io.Discard, c)
}

func attacks() []attack {
	begin := record(beginRequest, 1, keepConnection)
	piece := strings.Repeat("p", 1<<16-1)
	list := []attack{
		{"65,535 ids", 1, func(c net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, c) }()
			for id := 1; id <= 65535 && send(c, record(beginRequest, id, keepConnection)); id++ {
			}
		}},
		{"params of 100 MiB", 8, func(c net.Conn) {
			send(c, begin)
			for n := 0; n < 100<<20 && send(c, record(paramsRecord, 1, piece)); n += len(piece) {
			}
		}},
		{"slow bytes", 64, func(c net.Conn) {
			for i := 0; send(c, begin[i%len(begin):i%len(begin)+1]); i++ {
				time.Sleep(20 * time.Millisecond)
			}
		}},
		{"answers that nobody reads", 8, func(c net.Conn) {
			for send(c, fastcgiLogin(alice)) {
			}
		}},
		{"gone before the answer", 8, func(c net.Conn) { send(c, fastcgiLogin(alice)) }},
		{"refused and asking again", 8, func(c net.Conn) {
			wrong := fastcgiLogin(account{alice.user, bob.password})
			for send(c, wrong) {
				if _, err := readAnswer(c); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}},
	}
	for name, in := range brokenInputs(begin) {
		list = append(list, attack{name, 2, func(c net.Conn) { sendAll(c, in) }})
	}
	return list
}

// brokenInputs are what a guard should see at once.
func brokenInputs(begin string) map[string]string {
	inputs := map[string]string{
		"no name":              fastcgiRequest(pair("", "value")),
		"only lengths of zero": fastcgiRequest(strings.Repeat("\x00", 60000)),
		"a length cut off":     fastcgiRequest("\x01\x80\x00"),
		"a length of 2 GiB":    fastcgiRequest("\xff\xff\xff\xff\xff\xff\xff\xffN"),
		"a header twice":       fastcgiRequest(pair("HTTP_AUTH_USER", "a") + pair("HTTP_AUTH_USER", "b")),
		"wrong version":        "\x02" + begin[1:],
		"not FastCGI":          "GET / HTTP/1.0\r\n\r\n",
		"unknown types":        strings.Repeat(record(99, 0, "")+record(98, 7, ""), 1000) + begin + record(99, 1, ""),
	}
	steps := []string{"", record(paramsRecord, 1, pair("A", "b")), record(paramsRecord, 1, ""), record(stdinRecord, 1, "x"), record(stdinRecord, 1, "")}
	so := begin
	for i, step := range steps {
		so += step
		inputs["abort at step "+strconv.Itoa(i)] = so + record(abortRequest, 1, "") + "\x00" // and an end
	}
	return inputs
}

// TestHostilePeers plays each attack, and then all at once, next to requests that never end. In between,
// honest logins are about as fast as ever; when the attackers take all processors, they are still good.
func TestHostilePeers(t *testing.T) {
	s, d := startPlain(t)
	usual := honest(t, s.socket, hostileLogins, nil)
	t.Logf("an honest login took %v", usual)
	sockets := openSockets(t, d.process)
	kept := neverFinished(t, s.socket, 700)
	for _, a := range attacks() {
		took := under(t, s.socket, a)
		t.Logf("%v under attack: %s", took, a.name)
		if took > 5*max(usual, slowestUsual) {
			t.Errorf("an honest login took %v, and %v under attack: %s", usual, took, a.name)
		}
	}
	t.Logf("%v under all at once", under(t, s.socket, attacks()...))
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

// under is the median time of honest logins while attacks are played.
func under(t *testing.T, socket string, attacks ...attack) time.Duration {
	t.Helper()
	over := make(chan struct{})
	var all sync.WaitGroup
	for _, a := range attacks {
		for range a.peers {
			all.Go(func() { a.repeat(socket, over) })
		}
	}
	time.AfterFunc(hostileTime, func() { close(over) })
	took := honest(t, socket, 1<<20, over)
	all.Wait()
	return took
}

// startPlain starts mailauthd as it is run outside of tests: the race detector takes memory.
func startPlain(t *testing.T) (site, *daemon) {
	t.Helper()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, aliceTOML)
	plain := filepath.Join(filepath.Dir(d.config), "mailauthd")
	if err := build(plain, false); err != nil {
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

// neverFinished are connections with a request on each that is not complete, of up to 60 KB.
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

func (a attack) repeat(socket string, over <-chan struct{}) {
	for {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.SetDeadline(time.Now().Add(hostileTime))
			a.play(c)
			c.Close()
		}
		select {
		case <-over:
			return
		case <-time.After(hostilePause):
		}
	}
}

// openSockets counts what a process has open, listeners included.
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
