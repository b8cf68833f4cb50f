package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// BenchmarkLoad loads a large map from ten included files. The cost per user must not depend on
// the number of users, nor on whether some of them are wrong:
//
//	ns/user       time
//	B/user-alloc  memory allocated in total
//	B/user-peak   the most memory in use at a time, including garbage not yet collected
//	B/user-live   the memory that the configuration holds at the end
func BenchmarkLoad(b *testing.B) {
	for _, bb := range []struct {
		name         string
		users, wrong int
	}{
		{"20000", 20_000, 0},
		{"200000", 200_000, 0},
		{"200000_20wrong", 200_000, 20},
		{"1000000", 1_000_000, 0},
	} {
		b.Run(bb.name, func(b *testing.B) {
			path := writeUsers(b, bb.users, bb.wrong)
			measure(b, bb.users, memory().HeapAlloc, func() *Config {
				c, err := Load(path)
				if (err == nil) != (bb.wrong == 0) {
					b.Fatalf("%d users, %d of them wrong: %v", bb.users, bb.wrong, err)
				}
				return c
			})
		})
	}
}

// BenchmarkReload loads a million users again, after none, one or all of the ten files have changed. The memory is that
// of both configurations.
func BenchmarkReload(b *testing.B) {
	const users = 1_000_000
	path := writeUsers(b, users, 0)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "users-*.toml"))
	if err != nil {
		b.Fatal(err)
	}
	for _, changed := range []int{0, 1, len(files)} {
		b.Run(fmt.Sprintf("%d_changed", changed), func(b *testing.B) {
			before := memory().HeapAlloc
			old, err := Load(path)
			if err != nil {
				b.Fatal(err)
			}
			appendComment(b, files[:changed])
			measure(b, users, before, func() *Config {
				c, err := Reload(path, old)
				if err != nil || c.Users.Len() != users {
					b.Fatal(err)
				}
				return c
			})
			runtime.KeepAlive(old)
		})
	}
}

func appendComment(b *testing.B, files []string) {
	for _, path := range files {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteString("# changed\n")
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// measure reports the time and the memory that a user takes, with the garbage collector as the service sets it. The bytes
// that were in use before do not count.
func measure(b *testing.B, users int, inUse uint64, load func() *Config) {
	const collectPercent = 50 // of cmd/mailauthd
	defer debug.SetGCPercent(debug.SetGCPercent(collectPercent))
	before := memory()
	peak := watchHeap()
	var c *Config
	for b.Loop() {
		c = load()
	}
	most, after := peak(), memory()
	perUser := func(n uint64, unit string) { b.ReportMetric(float64(int64(n))/float64(users), unit) }
	perUser(uint64(b.Elapsed().Nanoseconds())/uint64(b.N), "ns/user")
	perUser((after.TotalAlloc-before.TotalAlloc)/uint64(b.N), "B/user-alloc")
	perUser(most-inUse, "B/user-peak")
	perUser(after.HeapAlloc-inUse, "B/user-live")
	runtime.KeepAlive(c)
}

// writeUsers writes a configuration with users in ten files. Some users have more keys than a password.
func writeUsers(b *testing.B, users, wrong int) (path string) {
	var files [10]bytes.Buffer
	for i := range users {
		scheme := "SHA512-CRYPT"
		if i < wrong {
			scheme = "NO-SUCH-SCHEME"
		}
		f := &files[i%len(files)]
		fmt.Fprintf(f, "\n[users.\"user%d@domain1.com\"]\npassword = \"{%s}$6$%016d$%086d\"\n", i, scheme, i, i)
		if i%7 == 0 {
			fmt.Fprintf(f, "aliases = [\"alias%d@domain1.com\"]\nallow_nets = [\"192.0.2.0/24\"]\n", i)
		}
	}
	dir := b.TempDir()
	put := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			b.Fatal(err)
		}
		return path
	}
	for i := range files {
		put(fmt.Sprintf("users-%d.toml", i), files[i].Bytes())
	}
	return put("mailauthd.toml", []byte("include = [\"users-*.toml\"]\n"+userBase))
}

// memory returns the memory statistics after a garbage collection.
func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// watchHeap samples the heap every few milliseconds until stop is called, which returns the peak.
func watchHeap() (stop func() uint64) {
	end, most := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for peak := uint64(0); ; {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-end:
				most <- peak
				return
			}
		}
	}()
	return func() uint64 { close(end); return <-most }
}
