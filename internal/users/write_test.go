package users

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// usersFile makes a file in a new directory, and checks after the test that no other file is there.
func usersFile(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "users.toml")
	if err := os.WriteFile(path, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("the directory has %v, %v; want one file", entries, err)
		}
	})
	return path
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s has %q, %v; want %q", path, got, err, want)
	}
}

func to(content string) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return []byte(content), nil }
}

// TestWriteAtomicConcurrent tests that no concurrent edit is lost.
func TestWriteAtomicConcurrent(t *testing.T) {
	const writers, edits = 4, 25
	path := usersFile(t, "0")
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range edits {
				err := WriteAtomic(path, path, func(old []byte) ([]byte, error) {
					n, err := strconv.Atoi(string(old))
					return strconv.AppendInt(nil, int64(n)+1, 10), err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantContent(t, path, strconv.Itoa(writers*edits))
}

func TestWriteAtomicKeepsModeAndOwner(t *testing.T) {
	path := usersFile(t, "old")
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 12345, 23456
	}
	testKeepsModeAndOwner(t, path, uid, gid)
	if uid != os.Getuid() {
		testKeepsModeAndOwner(t, path, os.Getuid(), gid) // another group only
	}
}

func testKeepsModeAndOwner(t *testing.T, path string, uid, gid int) {
	t.Helper()
	if err := errors.Join(os.Chown(path, uid, gid), os.Chmod(path, 0o604)); err != nil {
		t.Fatal(err)
	}
	content := fmt.Sprint("of ", uid)
	if err := WriteAtomic(path, path, to(content)); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, content)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); info.Mode() != 0o604 || int(st.Uid) != uid || int(st.Gid) != gid {
		t.Errorf("mode %v, owner %d:%d; want 0604, %d:%d", info.Mode(), st.Uid, st.Gid, uid, gid)
	}
}

func TestWriteAtomicFollowsLinks(t *testing.T) {
	path := usersFile(t, "old")
	link := filepath.Join(t.TempDir(), "link.toml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteAtomic(link, link, to("new")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "new")
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("link to %q, %v", to, err)
	}
}

func TestWriteAtomicRelativePath(t *testing.T) {
	path := usersFile(t, "old")
	t.Chdir(filepath.Dir(path))
	if err := WriteAtomic("users.toml", "users.toml", to("new")); err != nil {
		t.Error(err)
	}
	wantContent(t, path, "new")
}

func TestWriteAtomicWithoutChange(t *testing.T) {
	path := usersFile(t, "same")
	before, _ := os.Stat(path)
	if err := WriteAtomic(path, path, to("same")); err != nil {
		t.Error(err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("the file was replaced, %v", err)
	}
}

func TestWriteAtomicRefuses(t *testing.T) {
	errEdit := errors.New("would not load")
	for _, tt := range []struct {
		name string
		edit func(path string) func(old []byte) ([]byte, error)
		want string
	}{
		{"edit fails", func(string) func([]byte) ([]byte, error) {
			return func(old []byte) ([]byte, error) { old[0] = 'x'; return old, errEdit }
		}, "would not load"},
		{"too large", func(string) func([]byte) ([]byte, error) {
			return func([]byte) ([]byte, error) { return make([]byte, MaxFile+1), nil }
		}, "would be larger than 256 MiB"},
		{"changed meanwhile", func(path string) func([]byte) ([]byte, error) {
			return func([]byte) ([]byte, error) {
				past := time.Unix(1, 0)
				return []byte("new"), os.Chtimes(path, past, past)
			}
		}, "another program changed the file"},
		{"replaced meanwhile", func(path string) func([]byte) ([]byte, error) {
			return func([]byte) ([]byte, error) {
				other := filepath.Join(t.TempDir(), "other")
				return []byte("new"), errors.Join(os.WriteFile(other, []byte("old"), 0o600), os.Rename(other, path))
			}
		}, "another program changed the file"},
		{"replaced meanwhile by a file of the same time and size", func(path string) func([]byte) ([]byte, error) {
			return func([]byte) ([]byte, error) {
				other := filepath.Join(t.TempDir(), "other")
				info, err := os.Stat(path)
				if err != nil {
					return nil, err
				}
				return []byte("new"), errors.Join(os.WriteFile(other, []byte("old"), 0o600),
					os.Chtimes(other, info.ModTime(), info.ModTime()), os.Rename(other, path))
			}
		}, "another program changed the file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := usersFile(t, "old")
			if err := WriteAtomic(path, path, tt.edit(path)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			wantContent(t, path, "old")
		})
	}
}

// A change in the moment of the file's last one shows by its size.
func TestWriteAtomicComparesSizes(t *testing.T) {
	path := usersFile(t, "old")
	err := WriteAtomic(path, path, func([]byte) ([]byte, error) {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		return []byte("new"), errors.Join(os.WriteFile(path, []byte("older"), 0o640), os.Chtimes(path, info.ModTime(), info.ModTime()))
	})
	if err == nil || !strings.Contains(err.Error(), "another program changed the file") {
		t.Errorf("error %v", err)
	}
	wantContent(t, path, "older")
}

// An edit may work in the bytes that it gets.
func TestWriteAtomicEditsInPlace(t *testing.T) {
	path := usersFile(t, "old")
	if err := WriteAtomic(path, path, func(old []byte) ([]byte, error) { old[0] = 'O'; return old, nil }); err != nil {
		t.Error(err)
	}
	wantContent(t, path, "Old")
}

func TestWriteAtomicNeedsAFile(t *testing.T) {
	dir := t.TempDir()
	if err := WriteAtomic(filepath.Join(dir, "none"), filepath.Join(dir, "none"), to("x")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want one about a missing file", err)
	}
	if err := WriteAtomic(dir, dir, to("x")); err == nil {
		t.Error("WriteAtomic edits a directory")
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteAtomic(fifo, fifo, to("x")); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("edit of a pipe: %v", err)
	}
}

// TestWriteAtomicLockWait tests that a lock on the main file or on the edited file ends in an error.
func TestWriteAtomicLockWait(t *testing.T) {
	main, path := usersFile(t, "main"), usersFile(t, "old")
	for _, locked := range []string{main, path} {
		other, err := os.Open(locked)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			err := WriteAtomic(main, path, to("new"))
			if err == nil || !strings.Contains(err.Error(), locked+": another edit has held the lock") || time.Since(start) != LockWait {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		})
		other.Close()
	}
	wantContent(t, path, "old")
}

// TestWriteAtomicLinkToMainFile edits the main file by the name of a link to it.
func TestWriteAtomicLinkToMainFile(t *testing.T) {
	path := usersFile(t, "old")
	dir := t.TempDir()
	hard, soft := filepath.Join(dir, "hard"), filepath.Join(dir, "soft")
	if err := errors.Join(os.Link(path, hard), os.Symlink(path, soft)); err != nil {
		t.Fatal(err)
	}
	if err := WriteAtomic(path, soft, to("new")); err != nil {
		t.Error(err)
	}
	wantContent(t, path, "new")
	wantContent(t, hard, "old")
	if err := errors.Join(os.Remove(hard), os.Link(path, hard), WriteAtomic(path, hard, to("newer"))); err != nil {
		t.Error(err)
	}
	wantContent(t, path, "new")
	wantContent(t, hard, "newer")
}
