package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The service's user must be able to connect to the unix socket of Redis. A socket that is not there yet is no problem.
func TestLookRedis(t *testing.T) {
	path, nobody := lookSite(t)
	socket := filepath.Join(filepath.Dir(path), "redis.sock")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "[redis]\naddresses = [\"unix:"+socket+"\"]\nsecret_file = \"auth.key\"\n"...)
	if err := os.WriteFile(path, text, 0o640); err != nil {
		t.Fatal(err)
	}
	if found, _ := seen(t, path, nobody, nil); found != "" {
		t.Errorf("without Redis: %s", found)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := errors.Join(os.Chown(socket, 0, 0), os.Chmod(socket, 0o770)); err != nil {
		t.Fatal(err)
	}
	found, _ := seen(t, path, nobody, nil)
	if want := `: redis.addresses: user "nobody" cannot connect to D/redis.sock: its mode is 0770, and it belongs to root:`; !strings.Contains(found, want) {
		t.Errorf("%s, want %s", found, want)
	}
	if err := os.Chown(socket, 0, nobody.GID); err != nil {
		t.Fatal(err)
	}
	if found, _ := seen(t, path, nobody, nil); found != "" {
		t.Errorf("with the group of the socket: %s", found)
	}
}
