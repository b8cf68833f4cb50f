package authlog

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// A log that cannot be written is told at the start, and once. Of one that can be, nothing is left behind.
func TestCheck(t *testing.T) {
	l, dir, stderr := brokenLog(t, "json")
	l.Check(noon)
	e := login("bob@domain1.com")
	e.End = noon
	l.Write(e)
	if list := records(t, stderr); len(list) != 1 || list[0]["msg"] != "auth.log cannot be written, logins go on" {
		t.Errorf("standard error: %v", list)
	}
	mend(t, dir)
	l.Check(noon)
	if list := records(t, stderr); len(list) != 0 {
		t.Errorf("standard error: %v", list)
	}
	if list, err := os.ReadDir(dir); len(list) != 0 {
		t.Errorf("%s holds %v (%v)", dir, list, err)
	}
}

func TestWritableDevice(t *testing.T) {
	l, err := Open(Config{File: os.DevNull, Format: "json"}, slog.New(slog.NewTextHandler(new(bytes.Buffer), nil)))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Writable(); err != nil {
		t.Error(err)
	}
}

// What another program has written since is not removed.
func TestCutEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth.log")
	for _, tt := range []struct{ content, part, want string }{
		{"one\ntw", "tw", "one\n"},
		{"tw", "tw", ""},
		{"one\n", "tw", "one\n"},
		{"w", "tw", "w"},
		{"", "tw", ""},
	} {
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := cutEnd(path, []byte(tt.part)); (err == nil) != (tt.content != tt.want) {
			t.Errorf("%q without %q: %v", tt.content, tt.part, err)
		}
		wantFile(t, path, tt.want)
	}
}
