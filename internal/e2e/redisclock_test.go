package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// clockJump is by how many seconds the clock jumps: one half-life.
const clockJump = 3600

// startWithClock starts a Redis whose clock the test can set.
func startWithClock(t *testing.T, f *faultRun, routing string) {
	t.Helper()
	dir := tempDir(t)
	library := filepath.Join(dir, "clock.so")
	out, err := exec.Command(program(t, "cc"), "-shared", "-fPIC", "-O2", "-o", library, filepath.Join("testdata", "clock.c")).CombinedOutput()
	if err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	f.clock = writeFile(t, dir, "shift", "0")
	f.redis = startRedisBy(t, []string{"env", "LD_PRELOAD=" + library, "CLOCK_SHIFT=" + f.clock})
	f.machines = startMachines(t, 2, redisTOML(t, "", f.redis.address())+strings.Replace(routing, "8760h", "1h", 1))
}

// setClock returns a function that sets Redis's clock to be as many seconds ahead.
func setClock(seconds int) func(t *testing.T, f *faultRun) {
	return func(t *testing.T, f *faultRun) {
		t.Helper()
		next := writeFile(t, filepath.Dir(f.clock), "next", strconv.Itoa(seconds))
		before := f.redisTime(t)
		if err := os.Rename(next, f.clock); err != nil {
			t.Fatal(err)
		}
		if moved := f.redisTime(t) - before; moved > -clockJump/2 && moved < clockJump/2 {
			t.Fatalf("the clock of Redis has moved by %d s", moved)
		}
	}
}

func (f *faultRun) redisTime(t *testing.T) int64 {
	t.Helper()
	now, err := f.redis.db.Time(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return now.Unix()
}
