package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"mailauthd/internal/authhttp"
)

// maxPasswordLine is more than authhttp lets pass, so that a password that is too
// long is refused there rather than cut here.
const maxPasswordLine = 2 * authhttp.MaxPassword

// readPassword asks on a terminal without echo, else reads the first line. It is
// never an argument: those are in the process list.
func (c *call) readPassword() (string, error) {
	if fd := int(c.stdin.Fd()); term.IsTerminal(fd) {
		defer restoreOnSignal(fd)()
		fmt.Fprint(c.stderr, "Password: ")
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(c.stderr)
		return string(b), err
	}
	line, err := bufio.NewReader(io.LimitReader(c.stdin, maxPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("password from standard input: %w", err)
	}
	if line == "" {
		return "", fmt.Errorf("no password on standard input: write it there, ended by a newline")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// newPassword asks twice on a terminal.
func (c *call) newPassword() (string, error) {
	first, err := c.readPassword()
	if err != nil || !term.IsTerminal(int(c.stdin.Fd())) {
		return first, err
	}
	fmt.Fprint(c.stderr, "Again. ")
	second, err := c.readPassword()
	if err == nil && first != second {
		err = errors.New("the two passwords differ: nothing is done")
	}
	return first, err
}

// restoreOnSignal gives a terminal its echo back when a signal ends the command while it
// asks. The function that it returns ends that.
func restoreOnSignal(fd int) (done func()) {
	before, err := term.GetState(fd)
	if err != nil {
		return func() {}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		if sig, ok := <-signals; ok {
			_ = term.Restore(fd, before)
			raise(sig)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// holdSignals keeps signals back until the function that it returns is called.
func holdSignals() (release func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	return func() {
		signal.Stop(signals)
		select {
		case sig := <-signals:
			raise(sig)
		default:
		}
	}
}

// raise ends the process by a signal, as if nobody had caught it.
func raise(sig os.Signal) {
	signal.Reset(sig)
	if s, ok := sig.(syscall.Signal); ok {
		_ = syscall.Kill(os.Getpid(), s)
	}
}
