package authlog

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system with room for some entries.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the disk is full, except for room bytes.
func fill(t *testing.T, dir string, room int64) (remove func()) {
	t.Helper()
	name := filepath.Join(dir, "other")
	_ = os.WriteFile(name, make([]byte, 1<<20), 0o600) // fails when the disk is full
	info, err := os.Stat(name)
	if err == nil {
		err = os.Truncate(name, info.Size()-room)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = os.Remove(name) }
}

// On a full disk an entry is whole or not there, in a new file and in an old one. Standard error says how many were lost.
func TestFullDisk(t *testing.T) {
	for _, format := range Formats {
		t.Run(format, func(t *testing.T) {
			dir := smallDisk(t)
			file, stderr := filepath.Join(dir, "auth.log"), new(bytes.Buffer)
			l, err := Open(Config{File: file, Format: format, Timezone: "Europe/Moscow", MaxSize: 1}, slog.New(slog.NewJSONHandler(stderr, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			want := ""
			for range 2 {
				remove := fill(t, dir, 4096) // one page, which an entry does not fill
				before := l.Lost()
				for range 100 {
					l.Write(login("bob@domain1.com"))
				}
				if err := l.Writable(); err == nil {
					t.Error("a full disk counts as writable")
				}
				lost := l.Lost() - before
				if lost == 0 || lost == 100 {
					t.Fatalf("%d of 100 entries were lost", lost)
				}
				remove()
				l.Write(login("alice@domain02.com"))
				want += strings.Repeat(encodeAll(t, format, []Event{*login("bob@domain1.com")}), 100-int(lost)) +
					encodeAll(t, format, []Event{*login("alice@domain02.com")})
				wantFile(t, file, want)
			}
			if err := l.Writable(); err != nil {
				t.Errorf("after there is room: %v", err)
			}
			if n := len(records(t, stderr)); n != 2 { // the events of both rounds have the same time
				t.Errorf("%d messages on standard error, want one that it cannot be written and one that it is again", n)
			}
		})
	}
}
