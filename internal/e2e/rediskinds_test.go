package e2e

import (
	"crypto/x509/pkix"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"mailauthd/internal/testport"
)

// redisKinds are the ways to run Redis beside those of TestRedisFaults. Each returns the section [redis].
var redisKinds = []struct {
	name  string
	start func(t *testing.T) string
}{
	{"cluster", startCluster},
	{"TLS and ACL", startSecure},
}

// TestRedisKinds shares counters, resets and flushes of the cache by each kind of Redis.
func TestRedisKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range redisKinds {
		t.Run(strings.ReplaceAll(kind.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			routing := faultTOML + "[cache]\nsize = 100\n" + aliceTOML + userTOML(victim.user, "{PLAIN}"+victim.password)
			ms := startMachines(t, 2, kind.start(t)+routing)
			f := &faultRun{machines: ms}
			ms[0].check(t, home, victim, true)
			f.guess(t, guessesEach)
			f.checkCounts(t)
			ms[1].administer(t, "throttle", "reset", victim.user)
			for i, m := range ms {
				m.check(t, fmt.Sprint("203.0.113.", i), victim, true)
			}
			ms.checkFlush(t)
		})
	}
}

// checkFlush checks that a flush on the first machine reaches the others.
func (ms machines) checkFlush(t *testing.T) {
	t.Helper()
	for _, m := range ms {
		m.check(t, home, alice, true)
		if m.remembered(t) == 0 {
			t.Error("a machine does not remember a login")
		}
	}
	ms[0].administer(t, "cache", "flush", alice.user)
	ms[1].administer(t, "cache", "flush", victim.user)
	for i, m := range ms {
		if !poll(upTimeout, m.done, func() bool { return m.remembered(t) == 0 }) {
			t.Errorf("machine %d remembers a login after the flushes", i)
		}
	}
}

// remembered returns how many right passwords a machine remembers.
func (m *machine) remembered(tb testing.TB) int {
	tb.Helper()
	return int(metrics(tb, m.site)[`mailauthd_cache_entries{kind="good"}`])
}

// startCluster starts a cluster of three nodes without replicas.
func startCluster(t *testing.T) string {
	t.Helper()
	const slots, n = 16384, 3
	var nodes []*redisServer
	var ports, buses, addresses []string
	for i := range n {
		ports, buses = append(ports, strconv.Itoa(testport.Free(t))), append(buses, strconv.Itoa(testport.Free(t)))
		addresses = append(addresses, net.JoinHostPort("127.0.0.1", ports[i]))
		node := startRedis(t, "--bind", "127.0.0.1", "--port", ports[i], "--cluster-enabled", "yes", "--cluster-port", buses[i])
		node.do(t, "CLUSTER", "ADDSLOTSRANGE", slots*i/n, slots*(i+1)/n-1)
		node.do(t, "CONFIG", "SET", "cluster-announce-ip", "127.0.0.1")
		nodes = append(nodes, node)
	}
	for i := range n {
		nodes[0].do(t, "CLUSTER", "MEET", "127.0.0.1", ports[i], buses[i])
	}
	for _, node := range nodes {
		if !poll(readyTimeout, node.done, func() bool {
			info := node.do(t, "CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r\n", n))
		}) {
			t.Fatal("the cluster does not become one")
		}
	}
	return redisTOML(t, "", addresses...)
}

// startSecure starts a Redis that only the user mailauthd may use, with a password and TLS, and only as far as mailauthd
// needs.
func startSecure(t *testing.T) string {
	t.Helper()
	const user, password = "mailauthd", mark + "-redis"
	dir := tempDir(t)
	ca := newAuthority(t, dir, "authority of Redis")
	cert := ca.issue(t, dir, "redis", pkix.Name{CommonName: "127.0.0.1"}).file
	port := strconv.Itoa(testport.Free(t))
	r := startRedis(t, "--bind", "127.0.0.1", "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", cert,
		"--tls-ca-cert-file", ca.file, "--tls-auth-clients", "no")
	r.do(t, "ACL", "SETUSER", user, "on", ">"+password, "~mailauthd:*", "&mailauthd:*", "+@all", "-@dangerous")
	requirePassword(t, r)
	file := writeFile(t, dir, "redis.pass", password+"\n")
	options := fmt.Sprintf("username = %q\npassword_file = %q\ntls = true\nca_file = %q", user, file, ca.file)
	return redisTOML(t, options, net.JoinHostPort("127.0.0.1", port))
}

// requirePassword makes Redis ask all new connections for a password. The test keeps its own.
func requirePassword(t *testing.T, r *redisServer) {
	t.Helper()
	r.do(t, "CONFIG", "SET", "requirepass", mark+"-other")
	other := redis.NewClient(&redis.Options{Network: "unix", Addr: r.socket})
	defer other.Close()
	if other.Ping(t.Context()).Err() == nil {
		t.Error("Redis asks for no password")
	}
}
