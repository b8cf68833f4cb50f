package server

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"mailauthd/internal/redisdb"
)

// The timeout of [redis] is for all calls of one login together: when each takes more than a half of it, the second one
// is given up.
func TestRedisTimeoutIsOfLogin(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	redis := miniredis.RunT(t)
	s := start(t, "[users.", "[throttle]\nshared = true\n[redis]\naddresses = [\""+redis.Addr()+
		"\"]\nsecret_file = \""+secret+"\"\ntimeout = \"500ms\"\n[users.")
	db := s.state.Load().redis
	eventually(t, "redis is used", func() bool { up, _, _ := db.Up(); return up })
	s.want("http", login("alice@users.example", "wrong1"), failed) // so that Redis has the scripts
	redis.Server().SetPreHook(func(_ *server.Peer, command string, _ ...string) bool {
		if command == "EVALSHA" {
			time.Sleep(300 * time.Millisecond) // a slow Redis
		}
		return false
	})
	s.want("http", login("alice@users.example", "wrong2"), failed)
	if !strings.Contains(s.stderr.String(), "redis set aside") {
		t.Error("a login has waited for two calls of 300 ms each, with a timeout of 500 ms")
	}
}

// A Redis that hangs does not delay the end of the service.
func TestShutdownWithHangingRedis(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	s := start(t, "[users.", "[throttle]\nshared = true\n[redis]\naddresses = [\""+hanging.Addr().String()+
		"\"]\nsecret_file = \""+secret+"\"\n[users.")
	c, err := hanging.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := time.Now()
	if err := s.Shutdown(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > redisdb.BackgroundTimeout/2 {
		t.Errorf("the shutdown took %v", took)
	}
}
