package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repeatedClient is a mail client that logs in again and again, through nginx's mail proxy.
type repeatedClient struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	output bytes.Buffer
}

func startRepeatedClient(t *testing.T, s site, a account) *repeatedClient {
	t.Helper()
	c := &repeatedClient{cmd: exec.Command(program(t, "/usr/bin/python3", "python3"), filepath.Join("testdata", "again.py"), fmt.Sprint(s.imap), s.ca.file)}
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.SysProcAttr = &c.output, &c.output, procAttr()
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c.stdin, "%s\n%s\n", a.user, a.password); err != nil {
		t.Error(err)
	}
	return c
}

// stop ends the client after its present login. It returns the number of logins by the answer that they got.
func (c *repeatedClient) stop(t *testing.T) map[string]int {
	t.Helper()
	c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("the mail client: %v\n%s", err, c.output.String())
	}
	counts := make(map[string]int)
	for line := range strings.Lines(c.output.String()) {
		counts[strings.TrimSpace(line)]++
	}
	return counts
}
