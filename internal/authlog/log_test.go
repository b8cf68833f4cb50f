package authlog

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// open opens a log in the legacy format. The test fails if it logs a warning.
func open(t *testing.T, file string, maxSize int) *Log {
	t.Helper()
	c := Config{File: file, Format: "legacy", Timezone: "Europe/Moscow", MaxSize: maxSize}
	l, err := Open(c, slog.New(slog.NewTextHandler(failing{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// failing is a standard error that must stay empty.
type failing struct{ t *testing.T }

func (f failing) Write(p []byte) (int, error) {
	f.t.Errorf("standard error: %s", p)
	return len(p), nil
}

func login(user string) *Event {
	at := time.Date(2026, 11, 23, 9, 9, 42, 0, time.UTC)
	return &Event{Start: at, End: at, Method: "plain", User: user, Protocol: "imap", Status: "OK", Outcome: "ok"}
}

// entry returns the entry of login(user) in the log file.
func entry(t *testing.T, user string) string {
	t.Helper()
	return encodeAll(t, "legacy", []Event{*login(user)})
}

func wantFile(t *testing.T, file, want string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, string(got), want)
}

func TestAppends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "auth.log")
	for _, user := range []string{"one", "two"} {
		l := open(t, file, 1)
		l.Write(login(user))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantFile(t, file, entry(t, "one")+entry(t, "two"))
}

// full makes a log file that holds one line.
func full(t *testing.T, size int, mode fs.FileMode) (file, content string) {
	t.Helper()
	file, content = filepath.Join(t.TempDir(), "auth.log"), strings.Repeat("x", size-1)+"\n"
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // the umask does not apply here
		t.Fatal(err)
	}
	return file, content
}

func rotated(t *testing.T, file string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(filepath.Dir(file), "auth-*.log"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestRotates tests that the old file keeps its content, and that the new file gets the old one's mode.
func TestRotates(t *testing.T) {
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o644} {
		t.Run(mode.String(), func(t *testing.T) {
			file, old := full(t, 1<<20-10, mode)
			l := open(t, file, 1)
			l.Write(login("one"))
			l.Write(login("two"))
			wantFile(t, file, entry(t, "one")+entry(t, "two"))
			backups := rotated(t, file)
			if len(backups) != 1 {
				t.Fatalf("rotated files: %q", backups)
			}
			wantFile(t, backups[0], old)
			for _, name := range append(backups, file) {
				if info, err := os.Stat(name); err != nil || info.Mode() != mode {
					t.Errorf("%s has mode %v (%v), want %v", filepath.Base(name), info.Mode(), err, mode)
				}
			}
		})
	}
}

// TestRotatesNever uses a file of more than 100 MiB, where lumberjack rotates by default.
func TestRotatesNever(t *testing.T) {
	file, _ := full(t, 1, 0o600)
	const size = 101 << 20
	if err := os.Truncate(file, size); err != nil { // a sparse file on most file systems
		t.Fatal(err)
	}
	l := open(t, file, 0)
	l.Write(login("one"))
	want := size + int64(len("\n"+entry(t, "one"))) // the file ended within a line
	if info, err := os.Stat(file); err != nil || info.Size() != want {
		t.Errorf("%d bytes (%v)", info.Size(), err)
	}
	if list := rotated(t, file); len(list) != 0 {
		t.Errorf("rotated files: %q", list)
	}
}

// TestReopen does what logrotate does, with and without its option "create".
func TestReopen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.log")
	l := open(t, file, 1)
	if err := l.Reopen(); err != nil {
		t.Errorf("Reopen before the first event: %v", err)
	}
	l.Write(login("one"))
	if err := os.Rename(file, file+".1"); err != nil {
		t.Fatal(err)
	}
	l.Write(login("two"))
	wantFile(t, file+".1", entry(t, "one")+entry(t, "two"))

	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Write(login("three"))
	wantFile(t, file, entry(t, "three"))
	wantFile(t, file+".1", entry(t, "one")+entry(t, "two"))

	if err := os.Rename(file, file+".2"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Write(login("four"))
	wantFile(t, file, entry(t, "four"))
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v (%v), want that of the existing file", info.Mode(), err)
	}
}

// TestConcurrent tests that entries stay whole, also while the file is rotated and reopened.
func TestConcurrent(t *testing.T) {
	file, old := full(t, 1<<20-20_000, 0o600) // is rotated during the test
	l := open(t, file, 1)
	const writers, each = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				l.Write(login(fmt.Sprintf("writer%d-%d", w, i)))
				if i == each/2 {
					l.Reopen()
				}
			}
		})
	}
	wg.Wait()

	var all string
	for _, name := range append(rotated(t, file), file) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += strings.TrimPrefix(string(b), old)
	}
	for w := range writers {
		for i := range each {
			e := entry(t, fmt.Sprintf("writer%d-%d", w, i))
			if strings.Count(all, e) != 1 {
				t.Fatalf("the log does not hold this entry exactly once:\n%s", e)
			}
			all = strings.Replace(all, e, "", 1)
		}
	}
	if all != "" {
		t.Errorf("the log holds more than the entries: %q", all)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]Config{
		"format":    {Format: "syslog"},
		"no format": {},
		"time zone": {Format: "json", Timezone: "Europe/Atlantis"},
		"path":      {Format: "json", Timezone: "../../etc/localtime"},
	} {
		c.File = filepath.Join(t.TempDir(), "auth.log")
		if _, err := Open(c, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestZone(t *testing.T) {
	if zone, err := Zone(""); zone != time.Local || err != nil {
		t.Errorf("no name: %v, %v", zone, err)
	}
	at := time.Date(2026, 11, 23, 9, 9, 42, 0, time.UTC)
	if got := at.In(moscow(t)).Format(time.RFC3339); got != "2026-11-23T12:09:42+03:00" {
		t.Errorf("in Moscow %s", got)
	}
}
