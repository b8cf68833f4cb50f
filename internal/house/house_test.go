package house

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root     = "../.."
	module   = "mailauthd"
	maxLines = 400
)

// floors has the floor of each package. A package imports only from floors below its own. Packages that
// only have tests, or help them, are on the top floor.
var floors = map[string]int{
	"internal/access":      0,
	"internal/account":     0,
	"internal/authhttp":    0,
	"internal/authlog":     0,
	"internal/crypt":       0,
	"internal/limit":       0,
	"internal/logfile":     0,
	"internal/mailaddr":    0,
	"internal/redisdb":     0,
	"internal/spelling":    0,
	"internal/tomledit":    0,
	"internal/cache":       1,
	"internal/listen":      1,
	"internal/logreport":   1,
	"internal/password":    1,
	"internal/shadow":      1,
	"internal/status":      1,
	"internal/throttle":    1,
	"internal/upstream":    1,
	"internal/route":       2,
	"internal/users":       2,
	"internal/auth":        3,
	"internal/dovecot":     3,
	"internal/config":      5,
	"internal/dovecotconf": 6,
	"internal/ldapdb":      4,
	"internal/sqldb":       4,
	"internal/migrate":     6,
	"internal/phpscript":   6,
	"internal/server":      6,
	"cmd/mailauthd":        7,
	"cmd/md5cram":          7,
	"internal/e2e":         8,
	"internal/house":       8,
	"internal/testport":    8,
	"internal/testprogram": 8,
}

type goPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestFloors(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		floor, ok := floors[name]
		if !ok {
			t.Errorf("package %s has no floor", name)
			continue
		}
		seen++
		if p.Doc == "" {
			t.Errorf("package %s has no package comment", name)
		}
		for _, imported := range p.Imports {
			below, ours := strings.CutPrefix(imported, module+"/")
			if ours && floors[below] >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", name, floor, below, floors[below])
			}
		}
	}
	if seen != len(floors) {
		t.Errorf("%d packages have a floor, %d exist", len(floors), seen)
	}
}

func TestTopLevel(t *testing.T) {
	want := []string{"Makefile", "README.md", "cmd", "conf", "contrib", "go.mod", "go.sum", "internal"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			got = append(got, e.Name())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("top level: %v, want %v", got, want)
	}
}

func TestFilesAreShort(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		if n := bytes.Count(data, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, more than %d", path, n, maxLines)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
