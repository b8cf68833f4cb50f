package throttle

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// attacker returns an address in one of 2^32 IPv6 networks.
func attacker(i int) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i), 15: 1})
}

// attacked returns a throttle with failures from n networks, and the 10,000 users that they tried.
func attacked(b *testing.B, c Config, n int) (*Throttle, []string, time.Time) {
	b.Helper()
	now := time.Now()
	t, err := New(c, now)
	if err != nil {
		b.Fatal(err)
	}
	users := make([]string, 10_000)
	for i := range users {
		users[i] = user(i)
	}
	for i := range n {
		t.Fail(context.Background(), attacker(i), users[i%len(users)], "guess", now)
	}
	return t, users, now
}

// BenchmarkAllowFail shows that an attempt costs about the same under attack from a thousand addresses and
// from a million.
func BenchmarkAllowFail(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			t, users, now := attacked(b, Defaults(), n)
			passwords := make([]string, 1000)
			for i := range passwords {
				passwords[i] = fmt.Sprint("guess ", i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now = now.Add(time.Millisecond)
				client, user := attacker(i%n), users[i%len(users)]
				if t.Allow(context.Background(), client, user, now).Allowed {
					t.Fail(context.Background(), client, user, passwords[i%len(passwords)], now)
				}
			}
		})
	}
}

// BenchmarkAllowSucceed measures good logins by several goroutines while the tables are full of attackers.
func BenchmarkAllowSucceed(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			t, _, now := attacked(b, Defaults(), n)
			client := netip.MustParseAddr(home)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if !t.Allow(context.Background(), client, bob, now).Allowed {
						b.Error("refused")
					}
					t.Succeed(context.Background(), client, bob, now)
				}
			})
		})
	}
}

// BenchmarkMemory reports the size of an entry in bytes. Each attempt makes an entry in each table.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		c := Defaults()
		t, _, now := attacked(b, c, 0)
		for i := range 3 * c.MaxEntries {
			t.Fail(context.Background(), attacker(i), user(i), "guess", now)
			t.Succeed(context.Background(), attacker(i), user(i), now)
		}
		used := heap() - before
		b.ReportMetric(float64(used)/float64(4*c.MaxEntries), "B/entry")
		b.ReportMetric(float64(used)/(1<<20), "MiB")
		runtime.KeepAlive(t)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
