package house

import (
	"encoding/json"
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var systems = flag.Bool("systems", false, "check the types for all systems that mailauthd is built for")

// targets has the systems and architectures that mailauthd is built for.
var targets = []string{
	"linux/amd64", "linux/arm64", "linux/arm", "linux/386", "freebsd/amd64", "openbsd/amd64", "darwin/arm64",
}

// TestSystems checks the types of the commands, and of all that they import, for each system. Whatever does not build there
// is found in a fraction of the time of a build, because nothing is compiled.
func TestSystems(t *testing.T) {
	if !*systems {
		t.Skip("use -systems")
	}
	sources := &sources{files: token.NewFileSet(), parsed: make(map[string]*ast.File)}
	for _, target := range targets {
		t.Run(target, func(t *testing.T) {
			system, arch, _ := strings.Cut(target, "/")
			c := checker{sources, arch, make(map[string]*types.Package)}
			for _, p := range listFor(t, system, arch) {
				for _, err := range c.check(p) {
					t.Error(err)
				}
			}
			if c.done[module+"/cmd/mailauthd"] == nil {
				t.Error("cmd/mailauthd was not checked")
			}
		})
	}
}

// builtPackage is a package as go list describes it for one system.
type builtPackage struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
	Standard        bool
}

// listFor returns the commands with all that they import. Each package comes after those that it imports.
func listFor(t *testing.T, system, arch string) (list []builtPackage) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,ImportMap,Standard", "./cmd/...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p builtPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// sources has the files that have been parsed, because most of them are the same for all systems.
type sources struct {
	files  *token.FileSet
	parsed map[string]*ast.File
}

func (s *sources) parse(path string) (*ast.File, error) {
	if f := s.parsed[path]; f != nil {
		return f, nil
	}
	f, err := parser.ParseFile(s.files, path, nil, parser.SkipObjectResolution)
	s.parsed[path] = f
	return f, err
}

// checker checks packages for one architecture.
type checker struct {
	*sources
	arch string
	done map[string]*types.Package
}

// check returns what is wrong with a package. Function bodies of the standard library are not looked at.
func (c checker) check(p builtPackage) (problems []error) {
	if p.ImportPath == "unsafe" {
		c.done["unsafe"] = types.Unsafe
		return nil
	}
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		f, err := c.parse(filepath.Join(p.Dir, name))
		if err != nil {
			return append(problems, err)
		}
		parsed = append(parsed, f)
	}
	config := types.Config{
		Importer:         importer(func(path string) *types.Package { return c.imported(p, path) }),
		Sizes:            types.SizesFor("gc", c.arch),
		IgnoreFuncBodies: p.Standard,
		Error:            func(err error) { problems = append(problems, err) },
	}
	c.done[p.ImportPath], _ = config.Check(p.ImportPath, c.files, parsed, nil)
	return problems
}

func (c checker) imported(by builtPackage, path string) *types.Package {
	if mapped := by.ImportMap[path]; mapped != "" {
		path = mapped
	}
	return c.done[path]
}

// importer is a types.Importer of packages that have been checked before.
type importer func(path string) *types.Package

func (i importer) Import(path string) (*types.Package, error) {
	if p := i(path); p != nil {
		return p, nil
	}
	return nil, errors.New("not listed before the package that imports it")
}
