package redisdb

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/testprogram"
)

func tryNothing(context.Context, *Client) error { return nil }

// An inspection warns of settings of Redis that lose counters.
func TestInspectWarns(t *testing.T) {
	if testing.Short() {
		t.Skip("starts redis-server")
	}
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"nothing saved", nil, []string{"Redis saves nothing"}},
		{"append-only file", []string{"--appendonly", "yes"}, nil},
		{"saved", []string{"--save", "60 1"}, nil},
		{"evicts", []string{"--save", "60 1", "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"}, []string{"maxmemory-policy is volatile-lru"}},
		{"evicts never", []string{"--save", "60 1", "--maxmemory", "100mb"}, nil},
		{"no maximum", []string{"--save", "60 1", "--maxmemory-policy", "allkeys-lru"}, nil},
		{"CONFIG refused", []string{"--rename-command", "CONFIG", ""}, []string{"whether Redis saves its data could not be seen"}},
		{"INFO refused", []string{"--rename-command", "INFO", ""}, []string{"version, role, memory and persistence could not be seen"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := Inspect(t.Context(), inspected(t, tt.args...), tryNothing)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Warnings) != len(tt.want) || len(tt.want) == 1 && !strings.HasPrefix(r.Warnings[0], tt.want[0]) {
				t.Errorf("warnings %q, want %q", r.Warnings, tt.want)
			}
			if tt.name != "INFO refused" && (r.Role != "master" || !strings.Contains(r.Server, " ")) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// inspected returns the configuration for a redis-server that runs until the test ends.
func inspected(t *testing.T, args ...string) Config {
	t.Helper()
	return Config{
		Addresses: []string{Unix + testprogram.Redis(t, args...)},
		Prefix:    DefaultPrefix, Timeout: BackgroundTimeout, Secret: []byte("0123456789abcdef"),
	}
}

// An inspection says what is wrong, and what to do.
func TestInspectErrors(t *testing.T) {
	if testing.Short() {
		t.Skip("starts redis-server")
	}
	config := inspected(t, "--requirepass", "hunter2")
	inspect := func(c Config, want string) {
		t.Helper()
		if _, err := Inspect(t.Context(), c, tryNothing); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	inspect(config, "redis asks for a password: set password_file: NOAUTH")
	config.Password = "wrong"
	inspect(config, "redis refuses username and password: WRONGPASS")
	config.Password = "hunter2"
	other := New(config, Handler{})
	defer other.Close()
	if err := other.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	inspect(Config{Addresses: []string{Unix + t.TempDir() + "/redis.sock"}, Secret: config.Secret}, "redis.sock: connect: no such file")
	config.Secret = []byte("fedcba9876543210")
	inspect(config, "another machine uses another secret_file with this prefix")
	config.Secret = []byte("0123456789abcdef")
	if err := other.db.Do(t.Context(), "REPLICAOF", "127.0.0.1", "1").Err(); err != nil {
		t.Fatal(err)
	}
	inspect(config, "this is a replica: give the address of the master")
	config.MasterName = "mymaster"
	inspect(config, "is no Sentinel")
}

// If only one side speaks TLS, the error says so.
func TestInspectTLS(t *testing.T) {
	for _, tt := range []struct {
		name   string
		tls    bool
		answer string // to the first bytes; empty: the connection is closed
		hang   bool
		want   string
	}{
		{name: "server with TLS", want: "set tls = true"},
		{name: "server without TLS", tls: true, answer: "-ERR unknown command\r\n", want: "or tls = false"},
		{name: "server without TLS that waits", tls: true, hang: true, want: "or tls = false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = c.Read(make([]byte, 1024))
					_, _ = io.WriteString(c, tt.answer)
					if tt.hang {
						_, _ = io.Copy(io.Discard, c)
					}
					c.Close()
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), BackgroundTimeout)
			if tt.hang {
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			defer cancel()
			c := Config{
				Addresses: []string{l.Addr().String()}, TLS: tt.tls,
				Prefix: DefaultPrefix, Timeout: BackgroundTimeout, Secret: []byte("0123456789abcdef"),
			}
			if _, err := Inspect(ctx, c, tryNothing); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}
