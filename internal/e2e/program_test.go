package e2e

import (
	"os"
	"os/user"
	"testing"

	"mailauthd/internal/testprogram"
)

// program finds the first of the names that is installed.
func program(tb testing.TB, names ...string) string {
	tb.Helper()
	return testprogram.Find(tb, names...)
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
	testprogram.Skip(tb, format, args...)
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
