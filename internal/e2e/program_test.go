package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"testing"
)

// program finds the first of the names that is installed.
func program(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	skip(tb, "%s is not installed", names[0])
	return ""
}

// needRoot skips the test unless root runs it, because some programs change to another user.
func needRoot(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		skip(tb, "not root: the mail and web servers can't change to their own users")
	}
}

// skip skips the test. With CI=true the test fails instead.
func skip(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf(format, args...)
	}
	noteSkipped(tb, fmt.Sprintf(format, args...))
	tb.Skipf(format, args...)
}

// noteSkipped lists the test for make test, because go test without -v does not say what it skips.
func noteSkipped(tb testing.TB, why string) {
	tb.Helper()
	path := os.Getenv("SKIPPED")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "skipped: %s: %s\n", tb.Name(), why)
}

// webGroup is the group that nginx's and Apache's workers have here; it is a user's name too.
func webGroup(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"www-data", "http", "apache", "nobody"} {
		if _, err := user.LookupGroup(name); err != nil {
			continue
		}
		if _, err := user.Lookup(name); err == nil {
			return name
		}
	}
	skip(tb, "no user for web servers: neither www-data nor http")
	return ""
}
