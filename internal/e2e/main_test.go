package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binary is the mailauthd under test; TestMain builds it. plainBinary, beside it, is built for the first test that wants it.
var binary string

// plainBinary is mailauthd without the race detector, which takes memory and time.
var plainBinary = sync.OnceValues(func() (string, error) {
	if !raceEnabled {
		return binary, nil
	}
	path := binary + "-plain"
	return path, build(path, false)
})

// repository is the top of the source tree, seen from a test's working directory.
const repository = "../.."

func TestMain(m *testing.M) {
	if socket := os.Getenv(bareSocket); socket != "" {
		fmt.Fprintln(os.Stderr, serveBare(socket))
		os.Exit(1)
	}
	if socket := os.Getenv(attackSocket); socket != "" {
		playAttacks(socket, os.Getenv(attackName))
		os.Exit(0)
	}
	if address := os.Getenv(imapAddress); address != "" {
		fmt.Fprintln(os.Stderr, serveIMAPAt(address))
		os.Exit(1)
	}
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e-build-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") // where servers are
	if os.Getenv("GORACE") == "" {
		os.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector waits 1 s at each exit
	}
	binary = filepath.Join(dir, "mailauthd")
	if err := build(binary, raceEnabled); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := runInParallel("6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// runInParallel sets how many tests run at once, unless the command line does. A login mostly waits for one program
// after the other, so as many tests as processors would leave the processors idle.
func runInParallel(n string) error {
	const name = "test.parallel"
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return nil
	}
	return flag.Set(name, n)
}

func build(output string, race bool) error {
	args := []string{"build", "-o", output}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/mailauthd")...)
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building mailauthd: %w\n%s", err, out)
	}
	return nil
}
