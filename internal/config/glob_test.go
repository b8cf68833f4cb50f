package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// glob returns what filepath.Glob returns.
func TestGlob(t *testing.T) {
	dir := filepath.Dir(write(t, "a/1.toml", "", "a/2.toml", "", "a/x", "", "b/1.toml", "", "b/.1.toml", "", "c", "", "d[/1.toml", ""))
	for _, pattern := range []string{
		"*", "a/*.toml", "*/1.toml", "[ab]/?.toml", "*/*", "*/*/*", `d\[/*.toml`, "none/*", "c/*", "*/none", "../*/a/*",
	} {
		pattern = dir + "/" + pattern
		want, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := glob(pattern); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q (%v), want %q", pattern, got, err, want)
		}
	}
}

// A directory that cannot be read is not treated as empty.
func TestUnreadableDirectoryIsAnError(t *testing.T) {
	path := write(t, "m.toml", "include = [\"loop/*.toml\"]\n"+minimal)
	if err := os.Symlink("loop", filepath.Join(filepath.Dir(path), "loop")); err != nil { // a directory that even root cannot read
		t.Fatal(err)
	}
	_, err := Load(path)
	if want := "m.toml:1: include: entry 1: " + filepath.Join(filepath.Dir(path), "loop") + " cannot be read: " + syscall.ELOOP.Error(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// A pipe among the files does not block a reload.
func TestPipeIsAnError(t *testing.T) {
	path := write(t, "m.toml", "include = [\"p*\"]\n"+minimal)
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(path), "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	if want := "pipe: a pipe that no process writes to"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}
