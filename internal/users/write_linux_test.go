package users

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
)

// asNobody runs f as a user without root's rights over files. It changes only this thread.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	if err := errors.Join(syscall.Setfsgid(65534), syscall.Setfsuid(65534)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(syscall.Setfsuid(0), syscall.Setfsgid(0)); err == nil {
			runtime.UnlockOSThread()
		}
	}()
	f()
}

// openDirs gives other users access to the directory of a test.
func openDirs(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWriteAtomicReadOnlyMainFile tests an administrator who may edit the users file, but only read the
// main file.
func TestWriteAtomicReadOnlyMainFile(t *testing.T) {
	main, path := usersFile(t, "main"), usersFile(t, "old")
	openDirs(t, filepath.Dir(main))
	openDirs(t, filepath.Dir(path))
	if err := os.Chmod(main, 0o444); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := errors.Join(os.Chown(path, 65534, 65534), os.Chown(filepath.Dir(path), 65534, 65534)); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		if err := WriteAtomic(main, path, to("new")); err != nil {
			t.Error(err)
		}
	})
	wantContent(t, path, "new")
}

func TestWriteAtomicWithoutRights(t *testing.T) {
	for _, tt := range []struct {
		name    string
		dirMode os.FileMode
	}{
		{"directory", 0o555},
		{"owner", 0o777}, // a file of root in a directory that everybody can write
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "owner" && os.Getuid() != 0 {
				t.Skip("run as root: the test needs a file of another owner")
			}
			path := usersFile(t, "old")
			dir := filepath.Dir(path)
			openDirs(t, dir)
			if err := errors.Join(os.Chmod(path, 0o644), os.Chmod(dir, tt.dirMode)); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(dir, 0o755)
			asNobody(t, func() {
				if err := WriteAtomic(path, path, to("new")); !errors.Is(err, os.ErrPermission) {
					t.Errorf("error %v, want one about permission", err)
				}
			})
			wantContent(t, path, "old")
		})
	}
}

// Edits that follow each other do not wait, and leave no file open, whether they change something or not.
func TestWriteAtomicClosesItsFiles(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	main, path := usersFile(t, "main"), usersFile(t, "old")
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which closes files, too
	before := open()
	for _, content := range []string{"1", "1", "2"} {
		if err := WriteAtomic(main, path, to(content)); err != nil {
			t.Error(err)
		}
	}
	if err := WriteAtomic(main, filepath.Dir(path), to("x")); err == nil {
		t.Error("a directory is edited")
	}
	if now := open(); now != before {
		t.Errorf("%d files are open, %d before", now, before)
	}
}
