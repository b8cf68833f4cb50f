package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	singleLogins = 500 // one after the other, in each round
	fewLogins    = 100 // of each kind, whose round trips are counted
)

// redisContender is a responder whose logins are measured. Its Redis may be none or hang.
type redisContender struct {
	contender
	machine *machine
	redis   *redisServer
	cpu     []float64 // of Redis, in microseconds per login
	times   []time.Duration
}

// TestRedisThroughput measures logins with counters of this machine alone, with shared ones, and while Redis hangs, in one
// run. All have the default timeout of [redis].
func TestRedisThroughput(t *testing.T) {
	if !*throughput {
		t.Skip("a benchmark: make bench")
	}
	contenders := []*redisContender{newRedisContender(t, "counters of this machine", nil)}
	for _, name := range []string{"shared counters", "shared, Redis hangs"} {
		contenders = append(contenders, newRedisContender(t, name, startRedis(t)))
	}
	printRoundTrips(t, contenders[1].machine)
	hanging := contenders[2]
	hanging.redis.suspend(t)
	_, first, err := hanging.machine.login(home, sampleLogin)
	if err != nil {
		t.Fatal(err)
	}
	for round := range loadRounds {
		for i := range contenders {
			c := contenders[(i+round)%len(contenders)]
			c.measure(t)
		}
	}
	printRedisTable(t, contenders)
	fmt.Printf("\nthe login that met the hanging Redis took %v\n", first.Round(time.Millisecond))
	if hanging.machine.up(t) {
		t.Error("the hanging Redis is used")
	}
}

// newRedisContender starts a responder with the sample user map.
func newRedisContender(t *testing.T, name string, r *redisServer) *redisContender {
	t.Helper()
	routing := "[throttle]\n[servers.dovecot1]\nhost = \"127.0.0.1\"\n" + domainTOML("domain02.com", "users") + sampleUsers(t)
	if r != nil {
		routing = strings.Replace(redisTOML(t, "", r.address()), fmt.Sprintf("timeout = %q\n", redisTimeout), "", 1) +
			strings.Replace(routing, "[throttle]\n", "[throttle]\nshared = true\n", 1)
	}
	plain, err := plainBinary()
	if err != nil {
		t.Fatal(err)
	}
	m := startMachine(t, plain, nil, routing)
	if r != nil {
		machines{m}.waitUp(t)
	}
	m.check(t, home, sampleLogin, true)
	return &redisContender{
		contender: contender{name: name, responder: m.process, user: sampleLogin, url: "http://" + m.http + "/mail/auth.php"},
		machine:   m, redis: r,
	}
}

// measure sends logins as fast as possible, and then one after the other.
func (c *redisContender) measure(t *testing.T) {
	t.Helper()
	var before time.Duration
	if c.redis != nil {
		before = cpuTime(t, c.redis.process)
	}
	n := c.load(t)
	if c.redis != nil {
		c.cpu = append(c.cpu, float64((cpuTime(t, c.redis.process)-before).Microseconds())/float64(n))
	}
	for range singleLogins {
		granted, took, err := c.machine.login(home, sampleLogin)
		if err != nil || !granted {
			t.Fatalf("%s: granted %v, %v", c.name, granted, err)
		}
		c.times = append(c.times, took)
	}
}

func printRedisTable(t *testing.T, contenders []*redisContender) {
	t.Helper()
	fmt.Printf("\n%d connections, %d rounds of %v each in turn, medians; ratios to the first line;\nand %d logins in each round one after the other\n\n",
		loadConnections, loadRounds, loadDuration, singleLogins)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tlogins/s\tratio\tCPU µs/login\tratio\tCPU µs/login of Redis\tset aside\tone login: median µs\tadded\tp99 µs\tadded\t")
	first := contenders[0]
	p99 := func(times []time.Duration) time.Duration {
		return slices.Sorted(slices.Values(times))[len(times)*99/100]
	}
	for _, c := range contenders {
		redis := 0.0
		if len(c.cpu) > 0 {
			redis = median(c.cpu)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.1f\t%.2f\t%.1f\t%.0f\t%d\t%d\t%d\t%d\t\n", c.name,
			median(c.rates), median(c.rates)/median(first.rates),
			median(c.contender.cpu), median(c.contender.cpu)/median(first.contender.cpu), redis, c.machine.setAside(t),
			median(c.times).Microseconds(), (median(c.times) - median(first.times)).Microseconds(),
			p99(c.times).Microseconds(), (p99(c.times) - p99(first.times)).Microseconds())
	}
	w.Flush()
}

// printRoundTrips counts how often each kind of login asks Redis.
func printRoundTrips(t *testing.T, m *machine) {
	t.Helper()
	const guesser = "198.51.100.1"
	for _, kind := range []struct {
		name    string
		address func(i int) string
		account func(i int) account
		granted bool
		want    float64
	}{
		{"right password, known network", constant(home), constant(sampleLogin), true, 1},
		{"right password, new network", guessAddress, constant(sampleLogin), true, 2},
		{"wrong password, from another network each", func(i int) string { return guessAddress(1<<12 + i) }, func(i int) account {
			return account{guessedUser(i), mark}
		}, false, 2},
		{"refused by the throttle", constant(guesser), func(i int) account { return account{sampleLogin.user, fmt.Sprint(mark, i)} }, false, 1},
	} {
		if kind.want == 1 && !kind.granted { // more than any limit
			for i := range fewLogins {
				m.check(t, guesser, account{sampleLogin.user, fmt.Sprint(mark, -i)}, false)
			}
		}
		before := m.sum(t, "mailauthd_redis_round_trips_total", "")
		for i := range fewLogins {
			m.check(t, kind.address(i), kind.account(i), kind.granted)
		}
		each := (m.sum(t, "mailauthd_redis_round_trips_total", "") - before) / fewLogins
		fmt.Printf("%s: %.2f round trips of Redis\n", kind.name, each)
		if each > kind.want {
			t.Errorf("%s: %.2f round trips of Redis, want %.0f", kind.name, each, kind.want)
		}
	}
}

func constant[T any](v T) func(int) T { return func(int) T { return v } }
