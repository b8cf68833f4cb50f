package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Bounds of TestOutOfDescriptors.
const (
	fewDescriptors = 40
	manyPeers      = 100
	starvedTime    = time.Second            // that is watched while there are none
	starvedCPU     = 250 * time.Millisecond // that mailauthd may take meanwhile; a loop would take all
)

const tempFailure = "Temporary authentication failure"

// TestOutOfDescriptors uses up all file descriptors of mailauthd. Open connections must still get answers, and the
// configuration and the log must survive. When descriptors are free again, new connections must work.
func TestOutOfDescriptors(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"unix", "tcp", "http"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tempDir(t))
			outOfDescriptors(t, s, endpoints(s)[i])
		})
	}
}

func outOfDescriptors(t *testing.T, s site, endpoint endpoint) {
	d := startLimited(t, s, "compress = false\n"+aliceTOML+bobElsewhere(t), "--nofile="+strconv.Itoa(fewDescriptors))
	kept, err := endpoint.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	kept.check(t, bob, "OK")
	kept.check(t, alice, "OK")

	letGo := takeAll(t, d, endpoint)
	for range 5 { // more than it takes to set a server aside
		kept.check(t, bob, tempFailure)
	}
	kept.check(t, alice, "OK")
	checkIdle(t, d)
	starvedReload(t, s, d)
	kept.check(t, alice, "OK")
	before := starvedLog(t, d, kept)

	letGo()
	again := func() bool { return endpoint.letsIn(alice) && d.logged(t) > before }
	if !poll(10*time.Second, d.done, again) {
		t.Fatal("no login, or none in the log, when there are descriptors again")
	}
	kept.check(t, bob, "OK")
	if d.said(t, "server set aside") {
		t.Error("the mail server is blamed for it")
	}
	if n := strings.Count(readFile(t, d.stderr), "cannot accept"); n != 1 {
		t.Errorf("standard error says %d times that it cannot accept, want once a minute", n)
	}
}

// takeAll connects until mailauthd has no descriptor left to accept another connection.
func takeAll(t *testing.T, d *daemon, endpoint endpoint) (letGo func()) {
	t.Helper()
	var peers []*endpointConn
	letGo = func() {
		for _, c := range peers {
			c.Close()
		}
	}
	t.Cleanup(letGo)
	for range manyPeers {
		c, err := endpoint.dial()
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, c)
	}
	full := func() bool { return d.said(t, "cannot accept") && len(openFiles(t, d.process)) == fewDescriptors }
	if !poll(10*time.Second, d.done, full) {
		t.Fatalf("%d peers did not take all descriptors", manyPeers)
	}
	return letGo
}

// checkIdle checks that mailauthd uses little CPU time while there are no requests.
func checkIdle(t *testing.T, d *daemon) {
	t.Helper()
	before := cpuTime(t, d.process)
	if poll(starvedTime, d.done, func() bool { return false }); d.ended(0) {
		t.Fatal("mailauthd ended")
	}
	if spent := cpuTime(t, d.process) - before; spent > starvedCPU {
		t.Errorf("%v of processor time within %v", spent, starvedTime)
	}
}

// starvedReload checks that a valid configuration is refused because there are no descriptors.
func starvedReload(t *testing.T, s site, d *daemon) {
	t.Helper()
	writeFile(t, filepath.Dir(d.config), "mailauthd.toml", mailauthdTOML(t, s, d.authLog))
	d.signal(t, syscall.SIGHUP)
	refused := func() bool { return d.said(t, "the old one stays") }
	if !poll(10*time.Second, d.done, refused) {
		t.Error("a reload is not refused")
	}
}

// starvedLog makes mailauthd close the log, and a peer take its descriptor. A login is then answered, but missing
// from the log. starvedLog returns the number of good logins.
func starvedLog(t *testing.T, d *daemon, kept *endpointConn) int {
	t.Helper()
	d.signal(t, syscall.SIGUSR1)
	taken := func() bool {
		files := openFiles(t, d.process)
		return len(files) == fewDescriptors && !slices.Contains(files, d.authLog)
	}
	if !poll(10*time.Second, d.done, taken) {
		t.Fatal("no peer took the log's descriptor")
	}
	before := d.logged(t)
	kept.check(t, alice, "OK")
	if !poll(10*time.Second, d.done, func() bool { return d.said(t, "auth.log cannot be written, logins go on") }) {
		t.Error("standard error does not say that the log cannot be opened")
	}
	if n := d.logged(t); n != before || n == 0 {
		t.Errorf("%d good logins in the log, %d before", n, before)
	}
	return before
}

// startLimited starts mailauthd with limits for prlimit. The routing may begin with further keys of [log].
func startLimited(t *testing.T, s site, routing string, limits ...string) *daemon {
	t.Helper()
	d := prepareMailauthd(t, s, routing)
	args := append(limits, binary, "serve", "-config", d.config)
	d.process = start(t, filepath.Dir(d.config), "mailauthd", program(t, "prlimit"), args...)
	d.logs = append(d.logs, d.authLog)
	waitReady(t, d.process, s.socket, s.fastcgi, s.http)
	return d
}

// bobElsewhere returns the TOML of a server in the test that checks bob's password and answers at once.
func bobElsewhere(t *testing.T) string {
	t.Helper()
	server := startSlowServer(t)
	close(server.release)
	go func() {
		for range server.reached {
		}
	}()
	return "\n[servers.elsewhere]\nhost = \"127.0.0.1\"\nimap = " + strconv.Itoa(server.port) +
		"\n[domains.\"domain1.com\"]\nservers = [\"elsewhere\"]\nverify = \"upstream\"\n"
}

// said reports whether standard error has a text.
func (d *daemon) said(tb testing.TB, text string) bool {
	tb.Helper()
	return strings.Contains(readFile(tb, d.stderr), text)
}

// logged returns the number of good logins in the log and its rotated files.
func (d *daemon) logged(tb testing.TB) (n int) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Dir(d.authLog) + "/auth*.log")
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range files {
		n += strings.Count(readFile(tb, f), "Auth-Status:   OK\n")
	}
	return n
}

// openFiles returns the names of the files behind the descriptors below the limit. Higher ones may be inherited.
func openFiles(tb testing.TB, p *process) (names []string) {
	tb.Helper()
	for fd := range fewDescriptors {
		name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", p.cmd.Process.Pid, fd))
		if err == nil {
			names = append(names, name)
		}
	}
	return names
}
