package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTwice starts a second process on the sockets of a running one, which must not be disturbed.
func TestTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	first := startMailauthd(t, s, aliceTOML)
	made := inode(t, s.socket)
	elsewhere := tempDir(t)
	for _, same := range []struct {
		name  string
		place func(other *site)
		want  string
	}{
		{"unix", func(o *site) { o.socket = s.socket }, "unix:" + s.socket},
		{"tcp", func(o *site) { o.fastcgi = s.fastcgi }, s.fastcgi},
		{"http", func(o *site) { o.http = s.http }, s.http},
	} {
		other := newSite(t, elsewhere)
		same.place(&other)
		second := prepareMailauthd(t, other, aliceTOML)
		end := runClient(t, "", binary, "serve", "-config", second.config)
		want := "listen on " + same.want + ": another process listens there already (ss -l"
		if end.status != 1 || !strings.Contains(end.trace, want) {
			t.Errorf("%s: exit status %d, want 1 and %q:\n%s", same.name, end.status, want, end.trace)
		}
		if other.socket != s.socket && exists(other.socket) || exists(other.admin) {
			t.Errorf("%s: leaves a socket behind", same.name)
		}
	}
	if now := inode(t, s.socket); now != made {
		t.Errorf("inode %d at the socket's name, %d before", now, made)
	}
	for _, endpoint := range endpoints(s) {
		endpoint.check(t, alice, "OK")
	}
	if n := first.logged(t); n != len(endpoints(s)) {
		t.Errorf("%d good logins in the log, want %d", n, len(endpoints(s)))
	}
}

// TestKilled checks that mailauthd starts although a killed process has left its sockets.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, aliceTOML)
	p := start(t, filepath.Dir(d.config), "killed", binary, "serve", "-config", d.config)
	waitReady(t, p, s.socket, s.fastcgi, s.http)
	made := inode(t, s.socket)
	p.kill()
	if accepts(s.socket) || !exists(s.socket) {
		t.Fatal("no stale socket")
	}
	d.serve(t)
	waitReady(t, d.process, s.socket, s.fastcgi, s.http)
	for _, endpoint := range endpoints(s) {
		endpoint.check(t, alice, "OK")
	}
	if inode(t, s.socket) == made {
		t.Error("the stale socket is still there")
	}
	if names, err := filepath.Glob(s.socket + "?*"); err != nil || len(names) > 0 {
		t.Errorf("beside the socket there is %q", names)
	}
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}
