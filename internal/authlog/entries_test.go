package authlog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// fullDisk accepts room bytes and then fails, until there is room again.
type fullDisk struct {
	strings.Builder
	room int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	d.Builder.Write(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (d *fullDisk) Close() error { return nil }

// A partial entry that cannot be removed, because the file is not where it was, leaves one partial line.
func TestFullDiskLeavesOnePartialLine(t *testing.T) {
	disk := &fullDisk{room: 6}
	log := &lineWriter{w: disk}
	for _, entry := range []string{"one\n", "two\n", "three\n"} {
		_, err := log.Write([]byte(entry))
		if (entry == "one\n") != (err == nil) || err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("writing %q: %v", entry, err)
		}
	}
	disk.room = 100
	for _, entry := range []string{"four\n", "five\n"} {
		if _, err := log.Write([]byte(entry)); err != nil {
			t.Error(err)
		}
	}
	if got, want := disk.String(), "one\ntw\nfour\nfive\n"; got != want {
		t.Errorf("the file holds %q, want %q", got, want)
	}
}

// movedOnce fails at the first write, as lumberjack does if another program moves the file that it is about to rename.
type movedOnce struct {
	strings.Builder
	moved bool
}

func (m *movedOnce) Write(p []byte) (int, error) {
	if !m.moved {
		m.moved = true
		return 0, errors.New("can't rename log file")
	}
	return m.Builder.Write(p)
}

func (m *movedOnce) Close() error { return nil }

func TestFileMovedDuringRotation(t *testing.T) {
	file := new(movedOnce)
	log := &lineWriter{w: file}
	if _, err := log.Write([]byte("one\n")); err != nil || file.String() != "one\n" {
		t.Errorf("the file holds %q, %v", file.String(), err)
	}
}

// TestPartialLineInTheFile tests that no entry is joined to a partial line that is in the file at
// a start, a reload or a reopening.
func TestPartialLineInTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.log")
	appendPartialLine := func() {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("half"); err != nil {
			t.Fatal(err)
		}
	}
	appendPartialLine()
	l := open(t, file, 1)
	l.Write(login("start"))
	appendPartialLine()
	if err := l.Configure(l.file.config); err != nil {
		t.Fatal(err)
	}
	l.Write(login("reload"))
	appendPartialLine()
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Write(login("reopened"))
	wantFile(t, file, "half\n"+entry(t, "start")+"half\n"+entry(t, "reload")+"half\n"+entry(t, "reopened"))
}

// A file that logrotate moves while it is looked at does not end within a line.
func TestMovedWhileLookedAt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth.log")
	over := make(chan struct{})
	var mover sync.WaitGroup
	mover.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
			}
			if err := errors.Join(os.WriteFile(path+".new", []byte("line\n"), 0o600), os.Rename(path+".new", path), os.Rename(path, path+".1")); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 5000 {
		if endsWithinLine(path) {
			t.Error("ends within a line")
			break
		}
	}
	close(over)
	mover.Wait()
}

func TestCheckFile(t *testing.T) {
	dir := t.TempDir()
	fifo, file := filepath.Join(dir, "fifo"), filepath.Join(dir, "file")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, fs.FileMode(0o600)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path    string
		maxSize int
		ok      bool
	}{
		{file, 100, true},
		{filepath.Join(dir, "new"), 100, true},
		{filepath.Join(dir, "no", "directory"), 100, true},
		{dir, 100, false},
		{dir, 0, false},
		{fifo, 100, false},
		{fifo, 0, false},
		{os.DevNull, 0, true},
		{os.DevNull, 100, false},
	} {
		if err := CheckFile(tt.path, tt.maxSize); (err == nil) != tt.ok {
			t.Errorf("%s with max_size %d: %v", tt.path, tt.maxSize, err)
		}
	}
}
