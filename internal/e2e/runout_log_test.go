package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailauthd/internal/testport"
)

// TestLogWithoutRoom lets the log grow up to a limit in the middle of an entry, with and without a restart. Logins
// must go on, lost entries must be counted, and every entry must be complete or missing.
func TestLogWithoutRoom(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, aliceTOML)
	writeFile(t, filepath.Dir(d.config), "mailauthd.toml", strings.Replace(readFile(t, d.config), "legacy", "json", 1))
	d.serve(t)
	waitReady(t, d.process, s.http)
	http := endpoints(s)[2]
	logins, lost := 0, 0
	login := func() {
		http.check(t, alice, "OK")
		logins++
	}
	for range 20 { // more than is on standard error, which the limit is for as well
		login()
	}
	for _, meanwhile := range []func(){
		func() {},
		func() { d.reloadAgain(t) },
		func() { d.signal(t, syscall.SIGUSR1) },
		func() {
			lost = d.lostEvents(t, s)
			if !d.said(t, "auth.log is written again") {
				t.Errorf("standard error does not say that the log is written again:\n%s", readFile(t, d.stderr))
			}
			d.stop(t)
			d.serve(t)
			waitReady(t, d.process, s.http)
		},
	} {
		d.limitFiles(t, strconv.FormatInt(size(t, d.authLog)+100, 10))
		login()
		login()
		meanwhile()
		d.limitFiles(t, "unlimited")
		login()
	}
	whole, torn := jsonLines(t, d.authLog)
	if whole+lost != logins || torn != 0 || lost != 8 {
		t.Errorf("of %d logins %d are in the log and %d counted as lost; %d torn lines, want none", logins, whole, lost, torn)
	}
}

// TestLogDevice checks a log on a device that is full from the beginning.
func TestLogDevice(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, "")
	writeFile(t, filepath.Dir(d.config), "mailauthd.toml", mailauthdTOML(t, s, "/dev/full")+"max_size = 0\n"+aliceTOML)
	d.serve(t)
	waitReady(t, d.process, s.socket, s.fastcgi, s.http)
	for _, endpoint := range endpoints(s) {
		endpoint.check(t, alice, "OK")
		endpoint.check(t, account{alice.user, bob.password}, "Invalid login or password")
	}
	if lost := d.lostEvents(t, s); lost != 6 {
		t.Errorf("%d lost events, want 6", lost)
	}
	if n := strings.Count(readFile(t, d.stderr), "logins go on"); n != 1 || !d.said(t, syscall.ENOSPC.Error()) {
		t.Errorf("standard error says it %d times:\n%s", n, readFile(t, d.stderr))
	}
}

// TestLogDirectoryGone removes the log's directory, and in some cases makes it again.
func TestLogDirectoryGone(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, "")
	dir := filepath.Join(filepath.Dir(d.config), "log")
	d.authLog = filepath.Join(dir, "auth.log")
	writeFile(t, filepath.Dir(d.config), "mailauthd.toml", mailauthdTOML(t, s, d.authLog)+aliceTOML)
	d.serve(t)
	waitReady(t, d.process, s.http)
	http := endpoints(s)[2]
	for name, again := range map[string]func() error{
		"not made again": func() error { return nil },
		"made again":     func() error { return os.Mkdir(dir, 0o755) },
		"a file for a while": func() error {
			writeFile(t, filepath.Dir(dir), "log", "")
			d.signal(t, syscall.SIGUSR1)
			if !poll(5*time.Second, d.done, func() bool { http.check(t, alice, "OK"); return d.said(t, syscall.ENOTDIR.Error()) }) {
				t.Error("standard error does not say why the log is lost")
			}
			return os.Remove(dir)
		},
	} {
		http.check(t, alice, "OK")
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		http.check(t, alice, "OK")
		if err := again(); err != nil {
			t.Fatal(err)
		}
		d.signal(t, syscall.SIGUSR1)
		back := func() bool { http.check(t, alice, "OK"); return exists(d.authLog) && d.logged(t) > 0 }
		if !poll(5*time.Second, d.done, back) {
			t.Errorf("directory %s: no log", name)
		}
	}
}

// TestLogDirectoryReadOnly checks that a log in a read-only directory is neither made nor rotated, and logins go on.
func TestLogDirectoryReadOnly(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{"no log": "", "log to rotate": strings.Repeat("x", 1<<20-1) + "\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(tempDir(t), "log")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			address := loopback(testport.Free(t))
			d := startAsNobody(t, address, dir)
			if before != "" {
				writeFile(t, dir, "auth.log", before)
			}
			giveAway(t, dir, 0o555)
			direct := site{auth: address}
			checkAuthStatus(t, direct, alice.user, alice.password, "OK")
			checkAuthStatus(t, direct, alice.user, bob.password, "Invalid login or password")
			lost := func() bool { return d.said(t, syscall.EACCES.Error()) }
			if !poll(5*time.Second, d.done, lost) || d.logged(t) != 0 {
				t.Error("standard error does not say why the log is lost")
			}
			giveAway(t, dir, 0o755)
			checkAuthStatus(t, direct, alice.user, alice.password, "OK")
			if n := d.logged(t); n != 1 {
				t.Errorf("%d good logins in the log, want 1", n)
			}
			if old, err := filepath.Glob(dir + "/auth-*.log"); err != nil || (len(old) == 1) != (before != "") {
				t.Errorf("rotated: %q", old)
			}
		})
	}
}

// startAsNobody starts mailauthd without root's rights, because root can write to read-only directories.
func startAsNobody(t *testing.T, address, logDir string) *daemon {
	t.Helper()
	uid, gid := nobody(t)
	d := prepareMailauthd(t, newSite(t, tempDir(t)), "")
	d.authLog = filepath.Join(logDir, "auth.log")
	dir := filepath.Dir(d.config)
	writeFile(t, dir, "mailauthd.toml", fmt.Sprintf(
		"[listen]\nhttp = [%q]\n[log]\nfile = %q\nmax_size = 1\ncompress = false\n%s", address, d.authLog, aliceTOML))
	ours := filepath.Join(dir, "mailauthd")
	if err := os.Link(binary, ours); err != nil { // which is in a directory of root's
		t.Fatal(err)
	}
	d.process = start(t, dir, "mailauthd", program(t, "setpriv"), fmt.Sprint("--reuid=", uid), fmt.Sprint("--regid=", gid),
		"--clear-groups", ours, "serve", "-config", d.config)
	waitReady(t, d.process, address)
	return d
}

// giveAway gives a directory and its files to the user nobody.
func giveAway(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	uid, gid := nobody(t)
	files, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, dir) {
		if err := os.Chown(name, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

// serve starts the mailauthd that prepareMailauthd has prepared.
func (d *daemon) serve(t *testing.T) {
	t.Helper()
	d.process = start(t, filepath.Dir(d.config), "mailauthd", binary, "serve", "-config", d.config)
}

// limitFiles limits the size of the files that mailauthd writes.
func (d *daemon) limitFiles(t *testing.T, size string) {
	t.Helper()
	pid := strconv.Itoa(d.cmd.Process.Pid)
	out, err := exec.Command(program(t, "prlimit"), "--pid", pid, "--fsize="+size+":unlimited").CombinedOutput()
	if err != nil {
		t.Fatalf("prlimit: %v: %s", err, out)
	}
}

// reloadAgain reloads the unchanged configuration.
func (d *daemon) reloadAgain(t *testing.T) {
	t.Helper()
	const loaded = "configuration loaded"
	before := strings.Count(readFile(t, d.stderr), loaded)
	d.signal(t, syscall.SIGHUP)
	if !poll(10*time.Second, d.done, func() bool { return strings.Count(readFile(t, d.stderr), loaded) > before }) {
		t.Error("the configuration is not loaded again")
	}
}

// lostEvents returns the value of mailauthd_log_lost_total.
func (d *daemon) lostEvents(t *testing.T, s site) (n int) {
	t.Helper()
	out := runClient(t, "", program(t, "curl"), "--silent", "--unix-socket", s.admin, "http://mailauthd/metrics")
	_, value, _ := strings.Cut(out.output, "\nmailauthd_log_lost_total ")
	if _, err := fmt.Sscan(value, &n); err != nil {
		t.Errorf("no count of lost events: %v", err)
	}
	return n
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// jsonLines returns the numbers of complete and of incomplete lines of a log.
func jsonLines(t *testing.T, path string) (whole, torn int) {
	t.Helper()
	for line := range strings.Lines(readFile(t, path)) {
		if json.Valid([]byte(line)) && strings.HasSuffix(line, "\n") {
			whole++
		} else {
			torn++
		}
	}
	return whole, torn
}
