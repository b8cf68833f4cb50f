package e2e

import (
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

// needRoot is for programs that change to a user of their own.
func needRoot(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		skip(tb, "not root: the mail and web servers can't change to their own users")
	}
}

// skip skips the test, except where the tests must be complete: there it fails.
func skip(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf(format, args...)
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
