package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mailauthd": main})
}

// TestCommands runs the scripts in testdata against this binary.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits 1 s at each exit
			env.Setenv("AS", "-user=")
			if os.Getuid() == 0 { // this machine may have a user mailauthd, who cannot read the tests' files
				env.Setenv("AS", "-user=root")
			}
			return nil
		},
		UpdateScripts: os.Getenv("UPDATE") != "", // rewrites what cmp compares with
	})
}
