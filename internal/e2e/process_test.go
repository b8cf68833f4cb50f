package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// stopTimeout is how long a program may take to end by itself.
const stopTimeout = 15 * time.Second

// process is a program that runs in the foreground, as our child.
type process struct {
	name   string
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	err    error         // how; valid after done
	stderr string        // file with its standard output and error
	logs   []string      // more files to show when the test fails
}

// start runs a program until the test ends. Its output goes to a file in dir. A worker that is left behind would
// keep a pipe open.
func start(tb testing.TB, dir, name, path string, args ...string) *process {
	tb.Helper()
	return startCommand(tb, dir, name, exec.Command(path, args...))
}

func startCommand(tb testing.TB, dir, name string, cmd *exec.Cmd) *process {
	tb.Helper()
	p := &process{
		name:   name,
		cmd:    cmd,
		done:   make(chan struct{}),
		stderr: filepath.Join(dir, name+".stderr"),
	}
	out, err := os.Create(p.stderr)
	if err != nil {
		tb.Fatal(err)
	}
	defer out.Close()
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = procAttr()
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	tb.Cleanup(func() {
		p.stop(tb)
		if tb.Failed() {
			p.dump(tb)
		}
	})
	return p
}

func (p *process) signal(tb testing.TB, sig os.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Errorf("%s: signal %v: %v", p.name, sig, err)
	}
}

// stop ends the program and, if it does not end by itself, its whole process group. It may be
// called twice.
func (p *process) stop(tb testing.TB) {
	tb.Helper()
	p.signal(tb, syscall.SIGTERM)
	if !p.ended(stopTimeout) {
		tb.Errorf("%s: still running %v after SIGTERM", p.name, stopTimeout)
		p.kill()
	}
}

// kill ends the program's whole process group at once.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// ended waits for the program to end, at most for d.
func (p *process) ended(d time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(d):
		return false
	}
}

// dump writes what the program logged to the test's output.
func (p *process) dump(tb testing.TB) {
	tb.Helper()
	for _, file := range append([]string{p.stderr}, p.logs...) {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			continue
		}
		tb.Logf("%s: %s:\n%s", p.name, filepath.Base(file), tail(text, 4<<10))
	}
}

func tail(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	text = text[len(text)-n:]
	return text[bytes.IndexByte(text, '\n')+1:]
}
