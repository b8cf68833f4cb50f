package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

var throughput = flag.Bool("throughput", false, "run TestThroughput, TestPassdbThroughput, TestRedisThroughput and TestIMAPLogins, and all logins of TestReloadsUnderLoad: benchmarks of make bench")

// The load is bounded in time. The contenders are measured in turn, so that other work of the machine slows down all
// of them alike.
const (
	loadConnections = 16
	loadRounds      = 3
	loadDuration    = 2 * time.Second
	startRounds     = 9
	maxMemory       = 44 // MiB, of mailauthd at its peak; the drivers of databases take about 3 of them
)

// contender is one line of the table: a responder behind a web server.
type contender struct {
	name      string
	responder *process
	url       string
	user      account
	rates     []float64 // requests per second, one for each round
	cpu       []float64 // the responder's microseconds per request
}

// TestThroughput measures mailauthd beside a C responder that does nothing, in one run.
// Compare the ratios, because the absolute numbers depend on the machine.
func TestThroughput(t *testing.T) {
	if !*throughput {
		t.Skip("a benchmark: make bench")
	}
	contenders, authLog := startContenders(t)
	answered := 0
	for round := range loadRounds {
		for i := range contenders {
			c := &contenders[(i+round)%len(contenders)]
			n := c.load(t)
			if strings.HasPrefix(c.name, "mailauthd") {
				answered += n
			}
		}
	}
	if logged := goodLogins(t, authLog); logged < answered {
		t.Errorf("%d good logins in auth.log, %d were answered", logged, answered)
	}
	printTable(t, contenders)
	if _, peak := memory(t, contenders[2].responder); peak > maxMemory {
		t.Errorf("mailauthd took %.1f MiB, more than %d", peak, maxMemory)
	}
	fmt.Printf("\nmailauthd starts in %v (median of %d, exec to first accepted connection)\n", startTime(t), startRounds)
}

// startContenders starts all contenders. All but the one that is measured are idle.
func startContenders(t *testing.T) ([]contender, string) {
	c, bare := newSite(t, tempDir(t)), newSite(t, tempDir(t))
	nginx, apache := newSite(t, tempDir(t)), newSite(t, tempDir(t))
	routing := "[servers.dovecot1]\nhost = \"127.0.0.1\"\n" +
		domainTOML("domain02.com", "users") + sampleUsers(t)
	ours := startMailauthd(t, nginx, routing)
	apache.socket = nginx.socket
	fastcgi := contrib(t, "nginx/auth-fastcgi.conf")
	libfcgi, netHTTP := startLibfcgi(t, c), startBare(t, bare)
	startNginxHTTP(t, c, fastcgi)
	startNginxHTTP(t, bare, fastcgi)
	startNginxHTTP(t, nginx, fastcgi)
	startApache(t, apache, contrib(t, "apache/mailauthd-unix.conf"))
	url := func(address string) string { return "http://" + address + "/mail/auth.php" }
	return []contender{
		{name: "C responder (libfcgi), nginx", responder: libfcgi, user: sampleLogin, url: url(c.auth)},
		{name: "bare net/http/fcgi, nginx", responder: netHTTP, user: sampleLogin, url: url(bare.auth)},
		{name: "mailauthd, nginx", responder: ours.process, user: sampleLogin, url: url(nginx.auth)},
		{name: "mailauthd, Apache", responder: ours.process, user: sampleLogin, url: url(apache.auth)},
		{name: "mailauthd, plain HTTP", responder: ours.process, user: sampleLogin, url: url(nginx.http)},
	}, ours.authLog
}

// sampleUsers returns the sample user map.
func sampleUsers(tb testing.TB) string {
	tb.Helper()
	return "\n" + readFile(tb, repository, "conf", "users.toml")
}

// sampleLogin is a login of the sample user map.
var sampleLogin = account{"carol@domain02.com", "sample-carol"}

// load sends requests as fast as possible, and returns the number of answers.
func (c *contender) load(t *testing.T) int {
	t.Helper()
	args := []string{"-t1", fmt.Sprintf("-c%d", loadConnections), fmt.Sprintf("-d%ds", int(loadDuration.Seconds()))}
	for _, h := range []string{
		"Auth-Method: plain", "Auth-Protocol: imap", "Auth-Login-Attempt: 1", "Client-IP: 192.0.2.42",
		"Auth-User: " + c.user.user, "Auth-Pass: " + c.user.password,
	} {
		args = append(args, "-H", h)
	}
	before := cpuTime(t, c.responder)
	out, err := exec.Command(program(t, "wrk"), append(args, c.url)...).CombinedOutput()
	spent := cpuTime(t, c.responder) - before
	if err != nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		t.Fatalf("%s: wrk: %v\n%s", c.name, err, out)
	}
	requests, rate := parseWrk(t, string(out))
	c.rates = append(c.rates, rate)
	c.cpu = append(c.cpu, float64(spent.Microseconds())/float64(requests))
	return requests
}

// parseWrk reads "N requests in Ts" and "Requests/sec: R".
func parseWrk(t *testing.T, out string) (requests int, rate float64) {
	t.Helper()
	for line := range strings.Lines(out) {
		fmt.Sscanf(strings.TrimSpace(line), "%d requests in", &requests)
		fmt.Sscanf(line, "Requests/sec: %f", &rate)
	}
	if requests == 0 || rate == 0 {
		t.Fatalf("cannot read wrk's output:\n%s", out)
	}
	return requests, rate
}

// goodLogins returns the number of good logins in auth.log and its rotated files.
func goodLogins(t *testing.T, authLog string) int {
	t.Helper()
	return countLines(t, authLog, `grep -c "Auth-Status:   OK$"`)
}

// countLines returns the number that grep -c prints about auth.log and its rotated files. Its exit status is 1 if that is 0.
func countLines(t *testing.T, authLog, grep string) int {
	t.Helper()
	out, err := exec.Command("sh", "-c", `zcat -f "$1"/auth*.log* | `+grep+` || test $? = 1`, "-", filepath.Dir(authLog)).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func median[T float64 | time.Duration](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func printTable(t *testing.T, contenders []contender) {
	fmt.Printf("\n%d connections, %d rounds of %v each in turn, medians; ratios to the first line;\nmailauthd verifies a {PLAIN} password of the sample user map and writes auth.log\n\n", loadConnections, loadRounds, loadDuration)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "responder\trequests/s\tratio\tCPU µs/request\tratio\tMiB now\tMiB peak\t")
	first := contenders[0]
	for _, c := range contenders {
		now, peak := memory(t, c.responder)
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t%.2f\t%.1f\t%.1f\t\n", c.name,
			median(c.rates), median(c.rates)/median(first.rates),
			median(c.cpu), median(c.cpu)/median(first.cpu), now, peak)
	}
	w.Flush()
}
