package e2e

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func glob(tb testing.TB, dir, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

// readEntries reads the entries of files in auth.php's layout, which may be compressed. Each entry has its
// values by name. The test fails if an entry is not complete.
func readEntries(tb testing.TB, files []string) (entries []map[string]string) {
	tb.Helper()
	for _, file := range files {
		entry := map[string]string{}
		for line := range strings.Lines(readMaybeGzip(tb, file)) {
			parts := logLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if parts == nil {
				tb.Fatalf("%s: line %q has not the layout %v", filepath.Base(file), line, logLine)
			}
			name, value, _ := strings.Cut(parts[2], ":")
			if _, again := entry[name]; again || (name == "Auth-Method") != (len(entry) == 0) {
				tb.Fatalf("%s: line %q is not where it should be", filepath.Base(file), line)
			}
			entry[name] = strings.TrimLeft(value, " ")
			if name == "Auth-Status" {
				entries = append(entries, entry)
				entry = map[string]string{}
			}
		}
		if len(entry) > 0 {
			tb.Errorf("%s ends within an entry", filepath.Base(file))
		}
	}
	return entries
}

func readMaybeGzip(tb testing.TB, file string) string {
	tb.Helper()
	if filepath.Ext(file) != ".gz" {
		return readFile(tb, file)
	}
	f, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatalf("%s: %v", filepath.Base(file), err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		tb.Fatalf("%s: %v", filepath.Base(file), err)
	}
	return string(text)
}
