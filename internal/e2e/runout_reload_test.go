package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mailauthd/internal/config"
)

// spoiledConfigs has mistakes that can make a configuration invalid. Its main file includes users.toml.
var spoiledConfigs = []struct {
	name  string
	spoil func(main, users string) error
	want  string // the error, where MAIN and USERS stand for the files
}{
	{"a directory",
		func(main, _ string) error { return errors.Join(os.Remove(main), os.Mkdir(main, 0o755)) },
		"MAIN: is a directory"},
	{"empty",
		func(main, _ string) error { return os.WriteFile(main, nil, 0o644) },
		"MAIN:1: "},
	{"huge",
		func(_, users string) error { return os.Truncate(users, config.MaxFileSize+1) },
		"USERS: larger than 256 MiB"},
	{"include a directory",
		func(_, users string) error { return errors.Join(os.Remove(users), os.Mkdir(users, 0o755)) },
		"MAIN:1: include: entry 1: USERS cannot be read: is a directory"},
	{"include missing",
		func(_, users string) error { return os.Remove(users) },
		"MAIN:1: include: entry 1: USERS cannot be read: no such file or directory"},
	{"include unreadable",
		func(_, users string) error { return errors.Join(os.Remove(users), os.Symlink(users, users)) },
		"MAIN:1: include: entry 1: USERS cannot be read: too many levels of symbolic links"},
	{"missing",
		func(main, _ string) error { return os.Remove(main) },
		"open MAIN: no such file or directory"},
	{"syntax",
		func(_, users string) error { return os.WriteFile(users, []byte("\npassword = \""+mark+"\n"), 0o644) },
		"USERS:2: not valid TOML: "},
	{"unknown key",
		func(_, users string) error {
			return os.WriteFile(users, []byte("[user]\npassword = \""+mark+"\"\n"), 0o644)
		},
		"USERS:1: user: unknown key"},
}

// TestSpoiledReload checks that a reload with each mistake changes nothing, and that standard error has the same
// messages as mailauthd check. With the right files the next reload must work.
func TestSpoiledReload(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, "")
	dir := filepath.Dir(d.config)
	users := filepath.Join(dir, "users.toml")
	restore := func(routing string) {
		if err := errors.Join(os.RemoveAll(d.config), os.RemoveAll(users)); err != nil {
			t.Fatal(err)
		}
		writeFile(t, dir, "mailauthd.toml", "include = [\"users.toml\"]\n"+mailauthdTOML(t, s, d.authLog))
		writeFile(t, dir, "users.toml", routing)
	}
	restore(aliceTOML)
	d.serve(t)
	waitReady(t, d.process, s.http)
	http := endpoints(s)[2]
	for _, c := range spoiledConfigs {
		if err := c.spoil(d.config, users); err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer("MAIN", d.config, "USERS", users).Replace(c.want)
		check := runClient(t, "", binary, "check", "-config", d.config)
		if check.status != 1 || !strings.Contains(check.output+check.trace, want) {
			t.Errorf("%s: check: exit status %d, want 1 and %q:\n%s%s", c.name, check.status, want, check.output, check.trace)
		}
		said := len(readFile(t, d.stderr))
		d.signal(t, syscall.SIGHUP)
		if !poll(10*time.Second, d.done, func() bool { return len(readFile(t, d.stderr)) > said }) {
			t.Fatalf("%s: standard error says nothing", c.name)
		}
		if told := readFile(t, d.stderr)[said:]; !strings.Contains(told, "the old one stays") || !strings.Contains(told, want) || strings.Count(told, "\n") != 1 {
			t.Errorf("%s: standard error says %q, want one line with %q", c.name, told, want)
		}
		http.check(t, alice, "OK")
		restore(aliceTOML)
		d.reloadAgain(t)
		http.check(t, alice, "OK")
	}
	restore("")
	d.reloadAgain(t)
	http.check(t, alice, "Invalid login or password")
}
