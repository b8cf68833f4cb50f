package account

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// asUser runs f in a thread of a user who has one group more. The test is skipped where that is impossible.
func asUser(t *testing.T, u *User, f func()) {
	t.Helper()
	err := u.Do(f)
	if os.Geteuid() != 0 {
		t.Skip("run as root: only root can look as another user")
	}
	if err != nil {
		t.Skip(err) // a container may not allow it
	}
}

func TestDo(t *testing.T) {
	u := &User{Name: "test", UID: 54321, GID: 54321, Groups: []int{54321, 54322}}
	dir := t.TempDir()
	err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755))
	file := func(name string, mode os.FileMode, gid int) string {
		path := filepath.Join(dir, name)
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600), os.Chmod(path, mode))
		if os.Geteuid() == 0 {
			err = errors.Join(err, os.Chown(path, 0, gid))
		}
		return path
	}
	open, root, group, second := file("open", 0o644, 0), file("root", 0o600, 0), file("group", 0o640, 54321), file("second", 0o660, 54322)
	hidden := file("closed/below/hidden", 0o666, 0)
	link := filepath.Join(dir, "link")
	if err = errors.Join(err, os.Symlink(hidden, link)); err != nil {
		t.Fatal(err)
	}
	asUser(t, u, func() {
		for _, tt := range []struct {
			path   string
			rights Rights
			denied string // what bars the way; none if empty
		}{
			{open, Read, ""}, {open, Write, open}, {root, Read, root}, {group, Read, ""}, {group, Read | Write, group},
			{second, Read | Write, ""}, {hidden, Read, filepath.Join(dir, "closed")}, {link, Read, filepath.Join(dir, "closed")},
			{dir, Read | Enter, ""}, {dir, Write | Enter, dir}, {filepath.Join(dir, "closed"), Enter, filepath.Join(dir, "closed")},
		} {
			err := Check(tt.path, tt.rights)
			var denied *Denied
			if tt.denied == "" && err != nil || tt.denied != "" && (!errors.As(err, &denied) || denied.Path != tt.denied) {
				t.Errorf("%s, rights %o: %v, want %q to be in the way", tt.path, tt.rights, err, tt.denied)
			}
		}
	})
}

// The other threads keep the ids of root.
func TestDoChangesOneThread(t *testing.T) {
	u := &User{Name: "test", UID: 54321, GID: 54321, Groups: []int{54321}}
	ids := func() string {
		groups, err := unix.Getgroups()
		return fmt.Sprint(unix.Getuid(), unix.Geteuid(), unix.Getgid(), unix.Getegid(), groups, err)
	}
	before := ids()
	for range 20 { // often enough to begin in the first thread
		asUser(t, u, func() { checkIDs(t, ids) })
	}
	for range 50 {
		done := make(chan string)
		go func() { done <- ids() }()
		if got := <-done; got != before {
			t.Fatalf("afterwards the ids are %s, want %s", got, before)
		}
	}
}

func checkIDs(t *testing.T, ids func() string) {
	t.Helper()
	if got := ids(); got != "54321 54321 54321 54321 [54321] <nil>" {
		t.Errorf("in the thread the ids are %s", got)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", os.Getpid())) // of the first thread
	if err != nil || !strings.Contains(string(status), "\nUid:\t0\t0\t0\t0\n") {
		t.Errorf("the first thread has changed: %v", err)
	}
}
