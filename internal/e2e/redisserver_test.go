package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// redisServer is a Redis that the test can kill, and start again with its files.
type redisServer struct {
	*process
	socket  string // unix
	dir     string
	args    []string
	command []string // that redis-server is an argument of, such as "ip netns exec NAME"
	db      *redis.Client
}

// startRedis starts a Redis that listens on a unix socket. It saves nothing unless the arguments say so.
func startRedis(tb testing.TB, args ...string) *redisServer {
	tb.Helper()
	return startRedisBy(tb, nil, args...)
}

// startRedisBy starts a Redis by a command such as "ip netns exec NAME".
func startRedisBy(tb testing.TB, command []string, args ...string) *redisServer {
	tb.Helper()
	r := &redisServer{dir: tempDir(tb), command: command}
	r.socket = filepath.Join(r.dir, "redis.sock")
	r.args = append([]string{"--port", "0", "--unixsocket", r.socket, "--save", "", "--dir", r.dir}, args...)
	r.db = redis.NewClient(&redis.Options{Network: "unix", Addr: r.socket})
	tb.Cleanup(func() { r.db.Close() })
	r.run(tb)
	return r
}

func (r *redisServer) run(tb testing.TB) {
	tb.Helper()
	command := append(append(r.command, program(tb, "redis-server", "valkey-server")), r.args...)
	r.process = start(tb, r.dir, "redis-server", program(tb, command[0]), command[1:]...)
	r.wait(tb)
}

// wait returns when Redis has loaded its data.
func (r *redisServer) wait(tb testing.TB) {
	tb.Helper()
	if !poll(readyTimeout, r.done, func() bool { return r.db.Ping(context.Background()).Err() == nil }) {
		tb.Fatal("redis-server does not answer")
	}
}

// do runs a command, and returns its result as text.
func (r *redisServer) do(tb testing.TB, command ...any) string {
	tb.Helper()
	result, err := r.db.Do(context.Background(), command...).Result()
	if err != nil {
		tb.Fatalf("%v: %v", command, err)
	}
	return fmt.Sprint(result)
}

// address returns what [redis] addresses has.
func (r *redisServer) address() string { return "unix:" + r.socket }

// size returns the number of keys and the bytes that Redis takes.
func (r *redisServer) size(tb testing.TB) (keys, bytes int) {
	tb.Helper()
	_, memory, _ := strings.Cut(r.do(tb, "INFO", "memory"), "used_memory:")
	if _, err := fmt.Sscan(memory, &bytes); err != nil {
		tb.Fatal(err)
	}
	_, _ = fmt.Sscan(r.do(tb, "DBSIZE"), &keys)
	return keys, bytes
}

// suspend stops the process until the test resumes it.
func (r *redisServer) suspend(tb testing.TB) {
	tb.Helper()
	r.signal(tb, syscall.SIGSTOP)
	tb.Cleanup(func() { r.resume(tb) }) // a stopped process does not end
}

func (r *redisServer) resume(tb testing.TB) {
	tb.Helper()
	r.signal(tb, syscall.SIGCONT)
}
