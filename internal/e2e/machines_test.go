package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// redisTimeout is [redis] timeout, the longest there is, because a login on a loaded machine must not take as long by itself.
const redisTimeout = time.Second

// upTimeout is how long a machine may take until it uses Redis again.
const upTimeout = 30 * time.Second

// redisSecret is the secret of all machines.
const redisSecret = mark + "-secret-of-all-machines"

// machine is one of several responders that share their counters.
type machine struct {
	site
	*daemon
	binary  string
	command []string // that mailauthd is an argument of, such as "ip netns exec NAME"
}

// machines are the responders of a site.
type machines []*machine

// redisTOML returns the section [redis]. Options are more of its keys.
func redisTOML(tb testing.TB, options string, addresses ...string) string {
	tb.Helper()
	secret := writeFile(tb, tempDir(tb), "secret", redisSecret+"\n")
	return fmt.Sprintf("\n[redis]\naddresses = [\"%s\"]\ntimeout = %q\nsecret_file = %q\n%s\n",
		strings.Join(addresses, `", "`), redisTimeout, secret, options)
}

// startMachines starts machines with the same configuration, and returns when they use Redis.
func startMachines(tb testing.TB, n int, routing string) machines {
	tb.Helper()
	var ms machines
	for range n {
		ms = append(ms, startMachine(tb, binary, nil, routing))
	}
	ms.waitUp(tb)
	return ms
}

func startMachine(tb testing.TB, binary string, command []string, routing string) *machine {
	tb.Helper()
	s := newSite(tb, tempDir(tb))
	m := &machine{site: s, daemon: prepareMailauthd(tb, s, routing), binary: binary, command: command}
	m.run(tb)
	return m
}

// run starts the responder, also again after it was killed.
func (m *machine) run(tb testing.TB) {
	tb.Helper()
	command := append(m.command, m.binary, "serve", "-config", m.config)
	m.process = start(tb, filepath.Dir(m.config), "mailauthd", program(tb, command[0]), command[1:]...)
	m.logs = append(m.logs, m.authLog)
	waitReady(tb, m.process, m.socket, m.admin)
}

// runs reports whether the responder has not ended.
func (m *machine) runs() bool {
	select {
	case <-m.done:
		return false
	default:
		return true
	}
}

// suspend stops the process until the test resumes it.
func (m *machine) suspend(tb testing.TB) {
	tb.Helper()
	m.signal(tb, syscall.SIGSTOP)
	tb.Cleanup(func() { m.signal(tb, syscall.SIGCONT) })
}

// up reports whether the machine uses Redis, and Redis has got all that the machine has counted.
func (m *machine) up(tb testing.TB) bool {
	tb.Helper()
	values := metrics(tb, m.site)
	return values["mailauthd_redis_up"] == 1 && values["mailauthd_redis_unsent"] == 0
}

func (ms machines) waitUp(tb testing.TB) {
	tb.Helper()
	for i, m := range ms {
		if !poll(upTimeout, m.done, func() bool { return m.up(tb) }) {
			tb.Fatalf("machine %d does not use Redis within %v", i, upTimeout)
		}
	}
}

// sum returns the sum of a metric of all machines, over the labels that contain a text.
func (ms machines) sum(tb testing.TB, name, labels string) (sum float64) {
	tb.Helper()
	for _, m := range ms {
		sum += m.sum(tb, name, labels)
	}
	return sum
}

func (m *machine) sum(tb testing.TB, name, labels string) (sum float64) {
	tb.Helper()
	for metric, value := range metrics(tb, m.site) {
		if strings.HasPrefix(metric, name) && strings.Contains(metric, labels) {
			sum += value
		}
	}
	return sum
}

// mismatches returns how many guesses were compared with a password. The throttle has allowed these.
func (ms machines) mismatches(tb testing.TB) int {
	tb.Helper()
	return int(ms.sum(tb, "mailauthd_logins_total", `reason="password_mismatch"`))
}

// setAside returns how often a machine has set Redis aside.
func (m *machine) setAside(tb testing.TB) float64 {
	tb.Helper()
	return metrics(tb, m.site)["mailauthd_redis_set_aside_total"]
}

// login logs in from an address. An error is neither a success nor a refusal.
func (m *machine) login(address string, a account) (granted bool, took time.Duration, err error) {
	begin := time.Now()
	_, err = askFastCGIFrom(address, m.socket, a)
	if err != nil && strings.Contains(err.Error(), "Auth-Status: "+invalid+"\r\n") {
		return false, time.Since(begin), nil
	}
	return err == nil, time.Since(begin), err
}

// check checks the answer to a login.
func (m *machine) check(tb testing.TB, address string, a account, granted bool) {
	tb.Helper()
	got, _, err := m.login(address, a)
	if err != nil || got != granted {
		tb.Errorf("login of %s from %s: granted %v, %v; want %v", a.user, address, got, err, granted)
	}
}

// administer runs a command on one machine, and returns its output.
func (m *machine) administer(tb testing.TB, command ...string) string {
	tb.Helper()
	got := runClient(tb, "", m.binary, slices.Insert(command, 2, "-config", m.config)...)
	if got.status != 0 {
		tb.Errorf("%q: exit status %d: %s%s", command, got.status, got.output, got.trace)
	}
	return got.output
}
