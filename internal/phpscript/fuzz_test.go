package phpscript

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a script holds, it is read in bounded work, and the configuration loads.
func FuzzPHP(f *testing.F) {
	scripts, err := filepath.Glob("testdata/*.php")
	if err != nil {
		f.Fatal(err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("<?php while (1) { $a[] = \"$a[0]{$b[\"c\"]}\"; } function f() { f(); }")
	f.Add("<?php header('Auth-Status: OK'); header('Auth-Server: 10.0.0.1'); header('Auth-Port: 1');")
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.Contains(text, "<?") || len(text) > 8<<10 {
			return
		}
		tokens, err := tokenize(text)
		if err != nil {
			return
		}
		x := newExplorer(parseScript(tokens))
		x.maxSteps = 300_000
		r, err := x.migrate(Script{Name: "f.php", HasUser: nobody, HasGroup: nobody})
		if err == nil {
			loadPHP(t, r)
		}
	})
}
