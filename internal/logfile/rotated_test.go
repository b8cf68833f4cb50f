package logfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRotated(t *testing.T) {
	dir := t.TempDir()
	ours := []string{
		"auth.log", "auth-2026-11-28T10-00-00.000.log", "auth-2026-11-27T10-00-00.123.log.gz",
		"auth.log.1", "auth.log.2.gz", "auth.log-20261128", "auth.log-20261127.gz", "auth.log-2026-11-26_04.gz",
	}
	packed := []string{"auth.log.3.xz", "auth.log-20261125.zst"}
	rest := []string{
		"auth.log.bak", "auth.log~", "auth.logs", "auth.log.", "auth.log-", "auth.log.gz.tmp", "auth-old.log", "myauth.log", "auth.txt",
		"auth-2026-11-28T10-00-00.000.txt", "auth.log.-", "shadow.log",
	}
	for _, name := range slices.Concat(ours, packed, rest) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "auth.log.9"), 0o700); err != nil {
		t.Fatal(err)
	}
	files, others, err := Rotated(filepath.Join(dir, "auth.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want []string }{{files, ours}, {others, packed}} {
		for i, path := range tt.got {
			tt.got[i] = strings.TrimPrefix(path, dir+"/")
		}
		slices.Sort(tt.got)
		if slices.Sort(tt.want); !slices.Equal(tt.got, tt.want) {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	t.Chdir(dir)
	if files, _, err := Rotated("auth.log"); err != nil || !slices.Contains(files, "auth.log.1") {
		t.Errorf("relative: %q, %v", files, err)
	}
	if _, _, err := Rotated(filepath.Join(dir, "no", "auth.log")); err == nil {
		t.Error("no error without the directory")
	}
}
