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

// maxPasswordLine is more than authhttp accepts, so that a password that is too long is
// refused there and not cut here.
const maxPasswordLine = 2 * authhttp.MaxPassword

// readPassword prompts on a terminal, without echo. If standard input is no terminal, it reads the
// first line. A password is never an argument, because the process list shows arguments.
func (c *call) readPassword(prompt string) (string, error) {
	if fd := int(c.stdin.Fd()); term.IsTerminal(fd) {
		defer restoreOnSignal(fd)()
		fmt.Fprint(c.stderr, prompt)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(c.stderr)
		return string(b), err
	}
	line, err := bufio.NewReader(io.LimitReader(c.stdin, maxPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	if line == "" {
		return "", errors.New("no password on standard input: write it there as one line")
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// newPassword reads a password. On a terminal it prompts twice.
func (c *call) newPassword() (string, error) {
	first, err := c.readPassword("Password: ")
	if err != nil || !term.IsTerminal(int(c.stdin.Fd())) {
		return first, err
	}
	second, err := c.readPassword("Repeat password: ")
	if err == nil && first != second {
		err = errors.New("the two passwords differ: nothing was done, try again")
	}
	return first, err
}

// restoreOnSignal turns a terminal's echo on again if a signal ends the command at its prompt. The
// command calls done after the prompt.
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

// holdSignals defers signals until release is called.
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

// raise ends the process by a signal, as if the signal had not been caught.
func raise(sig os.Signal) {
	signal.Reset(sig)
	if s, ok := sig.(syscall.Signal); ok {
		_ = syscall.Kill(os.Getpid(), s)
	}
}
