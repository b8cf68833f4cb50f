package testprogram

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// startTimeout is how long a program may take to start on a loaded machine.
const startTimeout = time.Minute

// Redis starts a redis-server until the test ends. It listens only on a unix socket, whose path it returns. Nothing is
// saved. The arguments are more of redis-server's.
func Redis(tb testing.TB, args ...string) (socket string) {
	tb.Helper()
	dir, err := os.MkdirTemp("", "redis") // the path of a socket must be short
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "redis.sock")
	args = append([]string{"--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir}, args...)
	cmd := exec.Command(Find(tb, "redis-server", "valkey-server"), args...)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(startTimeout); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
			return socket
		}
		if time.Now().After(end) {
			tb.Fatalf("redis-server does not listen: %v", err)
		}
	}
}
