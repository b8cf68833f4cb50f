package e2e

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mailauthd/internal/testport"
)

// postfix is a mail exchanger for domain1.com, domain02.com and domain03.com.
type postfix struct {
	*process
	smtp    int
	mailbox string // directory, one file for each message, whoever it is for
}

// startPostfix starts a mail exchanger. The settings come after those of postfix-main.cf.
func startPostfix(tb testing.TB, settings string) *postfix {
	tb.Helper()
	needRoot(tb)
	command := program(tb, "postfix")
	dir, mail := tempDir(tb), tempDir(tb)
	uid, gid := nobody(tb)
	p := &postfix{smtp: testport.Free(tb), mailbox: filepath.Join(mail, "mailbox", "new")}
	config := map[string]any{"Dir": dir, "Mail": mail, "UID": uid, "GID": gid, "Port": p.smtp}
	writeFile(tb, dir, "main.cf", render(tb, "postfix-main.cf", config)+settings)
	writeFile(tb, dir, "master.cf", render(tb, "postfix-master.cf", config))
	ownedDir(tb, filepath.Join(dir, "spool"), 0)
	ownedDir(tb, filepath.Join(dir, "data"), postfixUser(tb))
	ownedDir(tb, filepath.Join(mail, "mailbox"), uid)
	if out, err := exec.Command(command, "-c", dir, "check").CombinedOutput(); err != nil {
		tb.Fatalf("postfix check: %v\n%s", err, out)
	}
	// The postfix command starts master in the background; -d keeps it in the foreground.
	p.process = start(tb, dir, "postfix", filepath.Join(daemonDir(tb), "master"), "-c", dir, "-d")
	p.logs = append(p.logs, filepath.Join(dir, "postfix.log"))
	waitReady(tb, p.process, loopback(p.smtp))
	return p
}

func ownedDir(tb testing.TB, dir string, uid int) {
	tb.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		tb.Fatal(err)
	}
}

func postfixUser(tb testing.TB) int {
	tb.Helper()
	u, err := user.Lookup("postfix")
	if err != nil {
		skip(tb, "no user postfix: %v", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		tb.Fatalf("user postfix has id %q", u.Uid)
	}
	return uid
}

// daemonDir returns the directory of Postfix's programs.
func daemonDir(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command(program(tb, "postconf"), "-d", "-h", "daemon_directory").Output()
	if err != nil {
		tb.Fatalf("postconf: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// has reports whether a message with this text has been delivered.
func (p *postfix) has(tb testing.TB, text string) bool {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(p.mailbox, "*"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range files {
		if strings.Contains(readFile(tb, file), text) {
			return true
		}
	}
	return false
}
