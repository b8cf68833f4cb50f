package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The reader of standard error may go away, as journald does when it restarts. That does not end serve.
func TestServeWithoutAReaderOfStandardError(t *testing.T) {
	dir, err := os.MkdirTemp("", "serve") // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "mailauthd.toml")
	text := fmt.Sprintf("[listen]\nfastcgi = [\"unix:%s/fastcgi.sock\"]\n[log]\nfile = \"%s/auth.log\"\n", dir, dir)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "mailauthd", "serve", "-config", path)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "listening") {
		t.Log(lines.Text())
	}
	stderr.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // serve logs the signal, and nobody reads that
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("serve ended by: %v", err)
	}
}
