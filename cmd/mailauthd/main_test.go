package main

import (
	"os"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mailauthd": main})
}

// Each command prints its usage on request, with an example whose flags exist.
func TestHelpOfEveryCommand(t *testing.T) {
	args, flags := usages(t)
	delete(args, "help")
	for name := range args {
		var stdout, stderr strings.Builder
		status := run(append(strings.Fields(name), "-h"), nil, &stdout, &stderr)
		_, example, _ := strings.Cut(stdout.String(), "\nexample: ")
		if status != exitDone || stderr.Len() > 0 || !strings.HasPrefix(stdout.String(), "usage: mailauthd "+name+" [flags]") ||
			!strings.HasPrefix(example, "mailauthd "+name) {
			t.Errorf("%s -h: status %d, usage and example wanted:\n%s%s", name, status, &stdout, &stderr)
		}
		if checkCalls(t, name+" -h", "`"+example, flags) != 1 {
			t.Errorf("%s -h: the example is for another command: %s", name, example)
		}
	}
	for name := range examples() {
		if _, ok := args[name]; !ok {
			t.Errorf("there is an example, but no command %s", name)
		}
	}
}

// TestCommands runs the scripts in testdata against this binary.
func TestCommands(t *testing.T) {
	redis := miniredis.RunT(t).Addr() // the scripts run in parallel, so they need prefixes of their own
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits 1 s at each exit
			env.Setenv("REDIS", redis)
			dir, err := os.Getwd()
			if err != nil {
				return err
			}
			env.Setenv("COMPLETION", dir+"/../../contrib/completion")
			env.Setenv("AS", "-user=")
			if os.Getuid() == 0 { // this machine may have a user mailauthd, who cannot read the tests' files
				env.Setenv("AS", "-user=root")
			}
			return nil
		},
		UpdateScripts: os.Getenv("UPDATE") != "", // rewrites what cmp compares with
	})
}
