package throttle

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"mailauthd/internal/redisdb"
	"mailauthd/internal/testprogram"
)

// BenchmarkRedisMemory measures how much memory counters take in Redis. A wrong password of a new user from a new network
// makes three counters, so -benchtime 333334x makes a million.
func BenchmarkRedisMemory(b *testing.B) {
	fail := func(s *shared, c *Config, k keys, i int) redisdb.Call {
		return s.failCall(c, k, uint16(k.user)+uint16(i), 0)
	}
	succeed := func(s *shared, c *Config, k keys, i int) redisdb.Call {
		k.network += uint64(i)
		return s.succeedCall(c, k, 0)
	}
	for _, tt := range []struct {
		name     string
		counters int // of each user
		call     func(s *shared, c *Config, k keys, i int) redisdb.Call
		calls    int // for each user, with another i
	}{
		{"failures", 3, fail, 1},
		{"passwords=8", 3, fail, passwords},
		{"successes", 1, succeed, 1},
		{"networks=8", 1, succeed, networks},
	} {
		b.Run(tt.name, func(b *testing.B) {
			socket := testprogram.Redis(b)
			admin := redis.NewClient(&redis.Options{Addr: socket, Protocol: 2})
			defer admin.Close()
			t, end := keptThrottle(b, redisdb.Unix+socket)
			defer end()
			before := usedMemory(b, admin)
			for done := 0; done < b.N; done += maxBatch {
				var calls []redisdb.Call
				for range min(maxBatch, b.N-done) {
					k := keys{network: rand.Uint64(), user: rand.Uint64()}
					for i := range tt.calls {
						calls = append(calls, tt.call(t.shared, &t.config, k, i))
					}
				}
				if err := t.shared.db.RunAll(b.Context(), calls); err != nil {
					b.Fatal(err)
				}
			}
			keys := admin.DBSize(b.Context()).Val() - 1 // the site
			if keys != int64(b.N*tt.counters) {
				b.Fatalf("%d keys, want %d", keys, b.N*tt.counters)
			}
			b.ReportMetric(float64(usedMemory(b, admin)-before)/float64(keys), "bytes/counter")
			b.ReportMetric(float64(keys), "counters")
		})
	}
}

// keptThrottle returns a throttle whose counters are in Redis.
func keptThrottle(b *testing.B, address string) (t *Throttle, end func()) {
	b.Helper()
	up := make(chan struct{}, 1)
	db := redisdb.New(inspectable(address), redisdb.Handler{Changed: func(c redisdb.Change) { up <- struct{}{} }})
	t, err := NewShared(Defaults(), db, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	kept := make(chan struct{})
	go func() { defer close(kept); db.Keep(ctx) }()
	<-up
	return t, func() { cancel(); <-kept; db.Close() }
}

// usedMemory returns the bytes that Redis has allocated.
func usedMemory(b *testing.B, admin *redis.Client) int64 {
	b.Helper()
	for line := range strings.Lines(admin.Info(b.Context(), "memory").Val()) {
		if value, ok := strings.CutPrefix(line, "used_memory:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatal("redis does not tell its memory")
	return 0
}
