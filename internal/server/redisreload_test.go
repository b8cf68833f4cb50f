package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

// A reload keeps the connections to Redis unless [redis] changes. The counters in Redis survive in any case.
func TestReloadKeepsRedis(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	redis := miniredis.RunT(t)
	edits := func(timeout string) []string {
		return []string{"[users.", "[throttle]\nshared = true\npair_limit = 2\n[redis]\naddresses = [\"" + redis.Addr() +
			"\"]\nsecret_file = \"" + secret + "\"\ntimeout = \"" + timeout + "\"\n[users."}
	}
	s := start(t, edits("1s")...)
	used := func() bool { up, _, _ := s.state.Load().redis.Up(); return up }
	eventually(t, "redis is used", used)
	s.want("http", login("alice@users.example", "wrong1"), failed)
	s.want("http", login("alice@users.example", "wrong2"), failed)
	before := s.state.Load().redis
	s.reload(edits("1s")...)
	if s.state.Load().redis != before {
		t.Error("the same [redis] has new connections after a reload")
	}
	s.want("http", good, failed)
	s.reload(edits("999ms")...)
	if s.state.Load().redis == before {
		t.Error("another [redis] has the old connections after a reload")
	}
	eventually(t, "redis is used after the reload", used)
	s.want("http", good, failed)
	s.reload()
	if s.state.Load().redis != nil {
		t.Error("no [redis] has connections")
	}
	s.want("http", good, "OK")
	if text := s.stderr.String(); strings.Contains(text, "0123456789abcdef") {
		t.Error("standard error has the secret")
	}
}
