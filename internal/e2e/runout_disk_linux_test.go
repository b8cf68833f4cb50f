package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLogDiskFull starts on a full disk. Standard error must say so before the first login, and that the log is written
// again once there is room. The log has no part of a lost entry.
func TestLogDiskFull(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, aliceTOML)
	dir := filepath.Join(filepath.Dir(d.config), "log")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	d.authLog = filepath.Join(dir, "auth.log")
	writeFile(t, filepath.Dir(d.config), "mailauthd.toml",
		strings.Replace(mailauthdTOML(t, s, d.authLog)+aliceTOML, "legacy", "json", 1))
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, make([]byte, 1<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	d.serve(t)
	waitReady(t, d.process, s.http)
	const full = "auth.log cannot be written, logins go on"
	poll(readyTimeout, d.done, func() bool { return d.said(t, full) })
	if n := strings.Count(readFile(t, d.stderr), full); n != 1 {
		t.Errorf("standard error says %d times at the start that the log cannot be written:\n%s", n, readFile(t, d.stderr))
	}
	http := endpoints(s)[2]
	http.check(t, alice, "OK")
	http.check(t, account{alice.user, bob.password}, "Invalid login or password")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	http.check(t, alice, "OK")
	if !poll(readyTimeout, d.done, func() bool { return d.said(t, `msg="auth.log is written again" lost=2`) }) {
		t.Errorf("standard error does not say how many entries were lost:\n%s", readFile(t, d.stderr))
	}
	if whole, torn := jsonLines(t, d.authLog); whole != 1 || torn != 0 {
		t.Errorf("the log has %d entries and %d torn ones, want one entry", whole, torn)
	}
}
