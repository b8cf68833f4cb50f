package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal returns the two ends of a pseudoterminal.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudoterminals here: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// prompts is a standard error that can be read while it is written.
type prompts struct {
	mu   sync.Mutex
	text string
}

func (p *prompts) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text += string(b)
	return len(b), nil
}

func (p *prompts) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text
}

// typeHidden types a line once the prompt is there and the terminal no longer echoes.
func typeHidden(keyboard, terminal *os.File, stderr *prompts, prompt, line string) error {
	if err := waitHidden(terminal, stderr, prompt); err != nil {
		return err
	}
	_, err := io.WriteString(keyboard, line+"\n")
	return err
}

// waitHidden waits until the prompt is there and the terminal no longer echoes.
func waitHidden(terminal *os.File, stderr *prompts, prompt string) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		modes, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		if err != nil || modes.Lflag&unix.ECHO == 0 && strings.HasSuffix(stderr.String(), prompt) {
			return err
		}
	}
	return fmt.Errorf("the terminal still echoes, or shows no prompt %q", prompt)
}

// waitEcho waits until the terminal echoes again, which it does once a line was read.
func waitEcho(terminal *os.File) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if modes, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS); err != nil || modes.Lflag&unix.ECHO != 0 {
			return err
		}
	}
	return fmt.Errorf("the terminal does not echo again")
}

func TestNewPasswordOnTerminal(t *testing.T) {
	for _, tt := range []struct {
		name, first, second string
		status              int
		stdout, stderr      string
	}{
		{"twice the same", "hunter2", "hunter2", exitDone, "{SSHA256}", "Password: \nRepeat password: \n"},
		{"mistyped", "hunter2", "hunter3", exitNo, "", "Password: \nRepeat password: \nthe two passwords differ: nothing was done, try again\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			keyboard, terminal := openTerminal(t)
			var stdout strings.Builder
			var stderr prompts
			status := make(chan int, 1)
			go func() { status <- run([]string{"pw", "-s", "SSHA256"}, terminal, &stdout, &stderr) }()
			if err := typeHidden(keyboard, terminal, &stderr, "Password: ", tt.first); err != nil {
				t.Fatal(err)
			}
			if err := typeHidden(keyboard, terminal, &stderr, "Repeat password: ", tt.second); err != nil {
				t.Fatal(err)
			}
			if got := <-status; got != tt.status || !strings.HasPrefix(stdout.String(), tt.stdout) || stderr.String() != tt.stderr {
				t.Errorf("status %d, stdout %q, stderr %q", got, &stdout, &stderr)
			}
			if err := waitEcho(terminal); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(terminal, "end"); err != nil {
				t.Fatal(err)
			}
			var shown []byte
			for b := make([]byte, 100); !strings.HasSuffix(string(shown), "end"); {
				n, err := keyboard.Read(b)
				if err != nil {
					t.Fatal(err)
				}
				shown = append(shown, b[:n]...)
			}
			if strings.Contains(string(shown), "hunter") {
				t.Errorf("the terminal showed %q", shown)
			}
		})
	}
}

// A command that is interrupted at its prompt turns the terminal's echo on again.
func TestInterruptedPrompt(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "pw", "-s", "SSHA256")
	cmd.Args[0] = "mailauthd"
	cmd.Path = filepath.Join(t.TempDir(), "mailauthd") // testscript.Main runs a command by its name
	if err := os.Symlink(exe, cmd.Path); err != nil {
		t.Fatal(err)
	}
	var stderr prompts
	cmd.Stdin, cmd.Stderr = terminal, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := typeHidden(keyboard, terminal, &stderr, "Password: ", "half a pass"); err != nil {
		t.Fatal(err)
	}
	if err := waitHidden(terminal, &stderr, "Repeat password: "); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "signal: interrupt") {
		t.Errorf("ended by %v", err)
	}
	if err := waitEcho(terminal); err != nil {
		t.Error(err)
	}
}

func TestColours(t *testing.T) {
	_, terminal := openTerminal(t)
	t.Setenv("TERM", "xterm")
	for _, tt := range []struct {
		w       io.Writer
		noColor string
		want    bool
	}{{terminal, "", true}, {terminal, "1", false}, {&prompts{}, "", false}} {
		t.Setenv("NO_COLOR", tt.noColor)
		if got := colours(tt.w); got != tt.want {
			t.Errorf("colours(%T) with NO_COLOR=%q: %v", tt.w, tt.noColor, got)
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Setenv("TERM", "dumb")
	if colours(file) || colours(terminal) {
		t.Error("a file or a dumb terminal gets colours")
	}
}
