package throttle

import (
	"fmt"
	"net/netip"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// attacker is one of 2^32 IPv6 networks.
func attacker(i int) netip.Addr {
	return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i), 15: 1})
}

// attacked is a throttle that n networks have guessed at, for as many users.
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
		t.Fail(attacker(i), users[i%len(users)], "guess", now)
	}
	return t, users, now
}

// BenchmarkCheckFail: an attempt costs the same whether a thousand addresses attack or a million.
func BenchmarkCheckFail(b *testing.B) {
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
				if t.Check(client, user, now).Allowed {
					t.Fail(client, user, passwords[i%len(passwords)], now)
				}
			}
		})
	}
}

// BenchmarkHonest is a good login by several goroutines while the tables are full of attackers.
func BenchmarkHonest(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			t, _, now := attacked(b, Defaults(), n)
			client := netip.MustParseAddr(home)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if !t.Check(client, bob, now).Allowed {
						b.Error("refused")
					}
					t.Succeed(client, bob, now)
				}
			})
		})
	}
}

// BenchmarkMemory tells the bytes of an entry. Each attempt fills one in each table.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		c := Defaults()
		t, _, now := attacked(b, c, 0)
		for i := range 3 * c.MaxEntries {
			t.Fail(attacker(i), user(i), "guess", now)
			t.Succeed(attacker(i), user(i), now)
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
