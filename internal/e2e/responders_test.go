package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startLibfcgi builds and starts the C responder of contrib/bench.
func startLibfcgi(tb testing.TB, s site) *process {
	tb.Helper()
	dir := tempDir(tb)
	path := filepath.Join(dir, "responder")
	source := filepath.Join(repository, "contrib", "bench", "responder.c")
	out, err := exec.Command(program(tb, "cc"), "-O2", "-o", path, source, "-lfcgi", "-lpthread").CombinedOutput()
	if err != nil {
		tb.Fatalf("cc: %v\n%s", err, out)
	}
	p := start(tb, dir, "responder", path, s.socket, strconv.Itoa(2*loadConnections))
	waitReady(tb, p, s.socket)
	openSocket(tb, s)
	return p
}

// With the variable bareSocket in its environment, the test binary is a FastCGI responder.
const bareSocket = "E2E_BARE_SOCKET"

// startBare starts a responder that only calls net/http/fcgi.
func startBare(tb testing.TB, s site) *process {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	p := start(tb, tempDir(tb), "bare", program(tb, "env"), bareSocket+"="+s.socket, self)
	waitReady(tb, p, s.socket)
	openSocket(tb, s)
	return p
}

func serveBare(socket string) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	return fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Auth-Status", "OK")
		w.Header().Set("Auth-Server", "127.0.0.1")
		w.Header().Set("Auth-Port", "143")
	}))
}

// openSocket lets the web servers' user connect to the socket.
func openSocket(tb testing.TB, s site) {
	tb.Helper()
	if err := os.Chmod(s.socket, 0o666); err != nil {
		tb.Fatal(err)
	}
}

// clockTick is USER_HZ, which Linux has fixed for /proc.
const clockTick = 10 * time.Millisecond

// cpuTime returns the CPU time that a process and its threads have used: fields 14 and 15 of /proc/PID/stat
// (proc(5)).
func cpuTime(tb testing.TB, p *process) time.Duration {
	tb.Helper()
	stat := readFile(tb, "/proc", strconv.Itoa(p.cmd.Process.Pid), "stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		tb.Fatalf("cannot read %q", stat)
	}
	return time.Duration(user+system) * clockTick
}

// memory returns a process's resident memory in MiB, now and at its peak.
func memory(tb testing.TB, p *process) (now, peak float64) {
	tb.Helper()
	for line := range strings.Lines(readFile(tb, "/proc", strconv.Itoa(p.cmd.Process.Pid), "status")) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			now = kib / 1024
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			peak = kib / 1024
		}
	}
	return now, peak
}

// startTime returns how long mailauthd takes until it accepts connections, with the sample configuration.
func startTime(t *testing.T) time.Duration {
	t.Helper()
	var times []time.Duration
	for range startRounds {
		s := newSite(t, tempDir(t))
		d := prepareMailauthd(t, s, "[servers.dovecot1]\nhost = \"127.0.0.1\"\n"+domainTOML("domain02.com", "users")+sampleUsers(t))
		begin := time.Now()
		d.process = start(t, filepath.Dir(d.config), "mailauthd", binary, "serve", "-config", d.config)
		for !accepts(s.socket) {
			if d.ended(100 * time.Microsecond) {
				t.Fatal("mailauthd ended")
			}
		}
		times = append(times, time.Since(begin))
		d.stop(t)
	}
	return median(times)
}
