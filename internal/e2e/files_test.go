package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"text/template"
)

// tempDir is like testing.TB's TempDir, but short, because the address of a unix socket has only 108
// bytes, and open to the users that the programs change to.
func tempDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func writeFile(tb testing.TB, dir, name, text string) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

func readFile(tb testing.TB, path ...string) string {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// render fills in a template of testdata.
func render(tb testing.TB, name string, data any) string {
	tb.Helper()
	t, err := template.New(name).Option("missingkey=error").ParseFiles(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// asSelf is a flag of mailauthd check. The machine may have a user mailauthd, who cannot read the files of the tests.
func asSelf() string {
	if os.Getuid() == 0 {
		return "-user=root"
	}
	return "-user="
}
