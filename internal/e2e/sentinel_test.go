package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"mailauthd/internal/testport"
)

const sentinels = 3

// startSentinels starts a master with a replica, and Sentinels that know both and each other.
func startSentinels(t *testing.T, f *faultRun, routing string) {
	t.Helper()
	master, replica := strconv.Itoa(testport.Free(t)), strconv.Itoa(testport.Free(t))
	f.redis = startRedis(t, "--bind", "127.0.0.1", "--port", master, "--repl-diskless-sync-delay", "0")
	f.replica = startRedis(t, "--bind", "127.0.0.1", "--port", replica, "--replicaof", "127.0.0.1 "+master)
	f.waitReplica(t)
	var addresses []string
	for range sentinels {
		addresses = append(addresses, startSentinel(t, master))
	}
	for _, address := range addresses {
		waitSentinel(t, address)
	}
	f.machines = startMachines(t, 2, redisTOML(t, `master_name = "mail"`, addresses...)+routing)
}

// startSentinel starts one Sentinel, and returns its address.
func startSentinel(t *testing.T, master string) string {
	t.Helper()
	dir, port := tempDir(t), testport.Free(t)
	config := writeFile(t, dir, "sentinel.conf", fmt.Sprintf(`bind 127.0.0.1
port %d
dir %s
sentinel monitor mail 127.0.0.1 %s 2
sentinel down-after-milliseconds mail 500
sentinel failover-timeout mail 3000
`, port, dir, master))
	p := start(t, dir, "sentinel", program(t, "redis-server", "valkey-server"), config, "--sentinel")
	waitReady(t, p, loopback(port))
	return loopback(port)
}

// waitSentinel returns when a Sentinel knows the replica and the other Sentinels.
func waitSentinel(t *testing.T, address string) {
	t.Helper()
	s := redis.NewSentinelClient(&redis.Options{Addr: address})
	defer s.Close()
	if !poll(readyTimeout, nil, func() bool {
		master, err := s.Master(t.Context(), "mail").Result()
		return err == nil && master["num-slaves"] == "1" && master["num-other-sentinels"] == strconv.Itoa(sentinels-1)
	}) {
		t.Fatal("a Sentinel does not know the replica and the other Sentinels")
	}
}

// waitReplica returns when the replica has got what the master has now.
func (f *faultRun) waitReplica(t *testing.T) {
	t.Helper()
	written := replicated(t, f.redis)
	if !poll(readyTimeout, nil, func() bool {
		return strings.Contains(f.replica.do(t, "INFO", "replication"), "master_link_status:up") && replicated(t, f.replica) >= written
	}) {
		t.Fatal("the replica does not follow")
	}
}

// replicated returns how much a master has written, or a replica has got, in bytes.
func replicated(t *testing.T, r *redisServer) int {
	t.Helper()
	_, text, _ := strings.Cut(r.do(t, "INFO", "replication"), "master_repl_offset:")
	digits, _, _ := strings.Cut(text, "\r\n")
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// killMaster kills the master once the replica has got the guesses.
func killMaster(t *testing.T, f *faultRun) {
	t.Helper()
	f.redis.kill()
}
