package house

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

const contributing = "contrib/CONTRIBUTING.md"

var (
	floorRow  = regexp.MustCompile("(?m)^\\| (\\d+) \\| `([^`]+)` \\|")
	namedPath = regexp.MustCompile("`((?:cmd|conf|contrib|internal)(?:/[^`\\s]+)?)`")
)

func readContributing(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, contributing))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The page for contributors has the floors that TestFloors tests.
func TestContributingHasFloors(t *testing.T) {
	got := make(map[string]int)
	for _, row := range floorRow.FindAllStringSubmatch(readContributing(t), -1) {
		got[row[2]], _ = strconv.Atoi(row[1])
	}
	if !maps.Equal(got, floors) {
		t.Errorf("%s has the floors %v, want %v", contributing, got, floors)
	}
}

// The page for contributors names no file that has been moved.
func TestContributingNamesFiles(t *testing.T) {
	paths := namedPath.FindAllStringSubmatch(readContributing(t), -1)
	if len(paths) < 20 {
		t.Errorf("%s names only %d files", contributing, len(paths))
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join(root, path[1])); err != nil {
			t.Errorf("%s: %v", contributing, err)
		}
	}
}
