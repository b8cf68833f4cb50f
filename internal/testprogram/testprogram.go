// Package testprogram finds the programs that tests start. A test whose program is missing is skipped. With CI=true in
// the environment it fails instead. The file that SKIPPED names lists the skipped tests, because go test without -v does
// not say what it skips.
package testprogram

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Find finds the first of the names that is installed. It skips the test if none is.
func Find(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Skip(tb, "%s is not installed", names[0])
	return ""
}

// Skip skips the test. With CI=true the test fails instead.
func Skip(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf(format, args...)
	}
	note(tb, fmt.Sprintf(format, args...))
	tb.Skipf(format, args...)
}

// NotAllowed skips the test, also with CI=true, because a container may not allow what the test needs.
func NotAllowed(tb testing.TB, format string, args ...any) {
	tb.Helper()
	note(tb, fmt.Sprintf(format, args...))
	tb.Skipf(format, args...)
}

// note adds the test to the list of the skipped ones.
func note(tb testing.TB, why string) {
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
