package e2e

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	twoFilesUsers = 500 // in each file, so that it takes a while to load them
	twoFilesPairs = 4
)

// TestUserCommandsOnTwoFiles adds one user to two files at the same time. Only one command may succeed, since
// the configuration would not load with both.
func TestUserCommandsOnTwoFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, "")
	dir := filepath.Dir(d.config)
	files := []string{"a.toml", "b.toml"}
	writeFile(t, dir, filepath.Base(d.config), "include = [\"a.toml\", \"b.toml\"]\n"+mailauthdTOML(t, s, d.authLog)+aliceTOML)
	for _, file := range files {
		var b strings.Builder
		for i := range twoFilesUsers {
			b.WriteString(userTOML(fmt.Sprintf("user%d-%s@domain02.com", i, file), "{PLAIN}"+mark))
		}
		writeFile(t, dir, file, b.String())
	}
	for i := range twoFilesPairs {
		user := fmt.Sprintf("new%d@domain02.com", i)
		added := addToBoth(t, d.config, dir, files, user)
		check := runClient(t, "", binary, "check", asSelf(), "-config", d.config)
		if added != 1 || check.status != 0 {
			t.Fatalf("%s: %d of 2 commands succeeded, want 1; check: exit status %d: %s%s", user, added, check.status, check.output, check.trace)
		}
	}
}

// addToBoth runs two commands at once, and returns how many succeed. Both start before one of them gets its
// password.
func addToBoth(t *testing.T, config, dir string, files []string, user string) (succeeded int) {
	t.Helper()
	var commands []*exec.Cmd
	var inputs []io.WriteCloser
	for _, file := range files {
		c := exec.Command(binary, "user", "add", "-config", config, "-file", filepath.Join(dir, file), "-s", "SHA512-CRYPT", "-r", "1000", user)
		c.SysProcAttr = procAttr()
		input, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		commands, inputs = append(commands, c), append(inputs, input)
	}
	for _, input := range inputs {
		_, _ = io.WriteString(input, mark+"\n") // a command may have ended already
		input.Close()
	}
	for _, c := range commands {
		if c.Wait() == nil {
			succeeded++
		}
	}
	return succeeded
}
