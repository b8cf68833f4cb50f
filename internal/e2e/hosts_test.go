package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"mailauthd/internal/testprogram"
)

// hosts are network namespaces that are joined by a bridge, which is in that of Redis.
type hosts struct {
	prefix string // of their names
	n      int    // without that of Redis
	err    error  // the first one of ip
}

const redisHost = "10.99.0.1" // the address of Redis; host i has 10.99.0.2 + i

// makeHosts makes n hosts and one for Redis, until the test ends. The error is that of a machine which does not allow it,
// such as a container.
func makeHosts(t *testing.T, n int) (*hosts, error) {
	t.Helper()
	needRoot(t)
	program(t, "ip")
	h := &hosts{prefix: fmt.Sprintf("e2e-%d-", os.Getpid()), n: n}
	h.prefix += strings.ReplaceAll(t.Name()[len(t.Name())-4:], "/", "-") + "-"
	h.make(t, "redis")
	h.in("redis", "link", "add", "bridge", "type", "bridge")
	h.in("redis", "addr", "add", redisHost+"/24", "dev", "bridge")
	h.in("redis", "link", "set", "bridge", "up")
	for i := range n {
		host, port := fmt.Sprint(i), fmt.Sprintf("port%d", i)
		h.make(t, host)
		h.in("redis", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", h.prefix+host)
		h.in("redis", "link", "set", port, "master", "bridge", "up")
		h.in(host, "addr", "add", fmt.Sprintf("10.99.0.%d/24", 2+i), "dev", "eth0")
		h.in(host, "link", "set", "eth0", "up")
	}
	return h, h.err
}

// make makes a namespace.
func (h *hosts) make(t *testing.T, host string) {
	t.Helper()
	name := h.prefix + host
	if h.ip("netns", "add", name); h.err != nil {
		return
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
			t.Errorf("ip netns del: %v: %s", err, out)
		}
	})
	h.in(host, "link", "set", "lo", "up")
}

// in runs ip in the namespace of a host.
func (h *hosts) in(host string, args ...string) {
	h.ip(append([]string{"-n", h.prefix + host}, args...)...)
}

// ip runs ip, unless it has failed before.
func (h *hosts) ip(args ...string) {
	if h.err != nil {
		return
	}
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		h.err = fmt.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// command returns the command that runs a program on a host.
func (h *hosts) command(host string) []string {
	return []string{"ip", "netns", "exec", h.prefix + host}
}

// startHosts starts Redis and machines on hosts of their own.
func startHosts(t *testing.T, f *faultRun, routing string) {
	t.Helper()
	var err error
	if f.hosts, err = makeHosts(t, 2); err != nil {
		testprogram.NotAllowed(t, "no network namespaces: %v", err)
	}
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
func cutOff(t *testing.T, f *faultRun)    { f.hosts.plug(t, "down") }
func joinAgain(t *testing.T, f *faultRun) { f.hosts.plug(t, "up") }

func (h *hosts) plug(t *testing.T, state string) {
	t.Helper()
	if h.in("redis", "link", "set", "port0", state); h.err != nil {
		t.Fatal(h.err)
	}
}
