package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// hosts are network namespaces that are joined by a bridge, which is in that of Redis.
type hosts struct {
	prefix string // of their names
	n      int    // without that of Redis
}

const redisHost = "10.99.0.1" // the address of Redis; host i has 10.99.0.2 + i

// makeHosts makes n hosts and one for Redis, until the test ends.
func makeHosts(t *testing.T, n int) *hosts {
	t.Helper()
	needRoot(t)
	program(t, "ip")
	h := &hosts{prefix: fmt.Sprintf("e2e-%d-", os.Getpid()), n: n}
	h.prefix += strings.ReplaceAll(t.Name()[len(t.Name())-4:], "/", "-") + "-"
	h.make(t, "redis")
	h.in(t, "redis", "link", "add", "bridge", "type", "bridge")
	h.in(t, "redis", "addr", "add", redisHost+"/24", "dev", "bridge")
	h.in(t, "redis", "link", "set", "bridge", "up")
	for i := range n {
		name := h.make(t, fmt.Sprint(i))
		port := fmt.Sprintf("port%d", i)
		h.in(t, "redis", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
		h.in(t, "redis", "link", "set", port, "master", "bridge", "up")
		h.in(t, fmt.Sprint(i), "addr", "add", fmt.Sprintf("10.99.0.%d/24", 2+i), "dev", "eth0")
		h.in(t, fmt.Sprint(i), "link", "set", "eth0", "up")
	}
	return h
}

// make makes a namespace, and returns its name.
func (h *hosts) make(t *testing.T, host string) string {
	t.Helper()
	name := h.prefix + host
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		skip(t, "cannot make a network namespace: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
			t.Errorf("ip netns del: %v: %s", err, out)
		}
	})
	h.in(t, host, "link", "set", "lo", "up")
	return name
}

// in runs ip in the namespace of a host.
func (h *hosts) in(t *testing.T, host string, args ...string) {
	t.Helper()
	args = append([]string{"-n", h.prefix + host}, args...)
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// command returns the command that runs a program on a host.
func (h *hosts) command(host string) []string {
	return []string{"ip", "netns", "exec", h.prefix + host}
}

// startHosts starts Redis and machines on hosts of their own.
func startHosts(t *testing.T, f *faultRun, routing string) {
	t.Helper()
	f.hosts = makeHosts(t, 2)
	f.redis, f.machines = f.hosts.start(t, binary, routing)
}

// start starts Redis and the responders.
func (h *hosts) start(t *testing.T, binary, routing string) (*redisServer, machines) {
	t.Helper()
	r := startRedisBy(t, h.command("redis"), "--bind", redisHost, "--port", "6379", "--protected-mode", "no")
	var ms machines
	for i := range h.n {
		ms = append(ms, startMachine(t, binary, h.command(fmt.Sprint(i)), redisTOML(t, "", redisHost+":6379")+routing))
	}
	ms.waitUp(t)
	return r, ms
}

// cutOff cuts the cable of the first host.
func cutOff(t *testing.T, f *faultRun) {
	t.Helper()
	f.hosts.in(t, "redis", "link", "set", "port0", "down")
}

func joinAgain(t *testing.T, f *faultRun) {
	t.Helper()
	f.hosts.in(t, "redis", "link", "set", "port0", "up")
}
