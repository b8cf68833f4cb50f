package users

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// asNobody runs f without root's rights over files: they are this thread's own.
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

// openDirs lets others into a test's directory.
func openDirs(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// An administrator of the users file may be able to read the main file only.
func TestWriteAtomicWithAReadOnlyMainFile(t *testing.T) {
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
		{"owner", 0o777}, // root's file, in a directory that is anybody's
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "owner" && os.Getuid() != 0 {
				t.Skip("needs a file of another owner: run as root")
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
