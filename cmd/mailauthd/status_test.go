package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mailauthd/internal/server"
	"mailauthd/internal/status"
)

// startRunning starts a server with an admin socket in this process, and returns its configuration.
func startRunning(t *testing.T) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "status") // t.TempDir may be too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "mailauthd.toml")
	text := fmt.Sprintf("[listen]\nhttp = [\"unix:%s/http.sock\"]\nadmin = [\"unix:%s/admin.sock\"]\n[log]\nfile = \"%s/auth.log\"\n[servers.box1]\nhost = \"192.0.2.1\"\n", dir, dir, dir)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(path, "v1.2", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown() })
	return path
}

func TestStatus(t *testing.T) {
	path := startRunning(t)
	var stdout, stderr strings.Builder
	if code := run([]string{"status", "-config", path, "-full"}, os.Stdin, &stdout, &stderr); code != exitDone {
		t.Fatalf("status %d: %s", code, &stderr)
	}
	for _, want := range []string{"version:                 v1.2\n", "server box1 imap:        up since ", "logins last day:         0, ok 0"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %q in\n%s", want, &stdout)
		}
	}
	if strings.Contains(stdout.String(), "\x1b") {
		t.Error("colours, but not for a terminal")
	}
	stdout.Reset()
	var s status.Snapshot
	if code := run([]string{"status", "-config", path, "-json"}, os.Stdin, &stdout, &stderr); code != exitDone {
		t.Fatalf("status %d: %s", code, &stderr)
	}
	if err := json.Unmarshal([]byte(stdout.String()), &s); err != nil || s.Version != "v1.2" || s.Masked {
		t.Errorf("%v: %s", err, &stdout)
	}
}

// -watch prints the status until it is interrupted, and that is no error.
func TestStatusWatch(t *testing.T) {
	path := startRunning(t)
	output, stdout := io.Pipe()
	var stderr strings.Builder
	code := make(chan int)
	go func() { code <- run([]string{"status", "-config", path, "-watch"}, os.Stdin, stdout, &stderr) }()
	lines := bufio.NewScanner(output)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "reloads:") {
	}
	go io.Copy(io.Discard, output)
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if got := <-code; got != exitDone {
		t.Errorf("status %d: %s", got, &stderr)
	}
}
