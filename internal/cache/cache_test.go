package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newCache(size int) *Cache {
	return New(Config{Size: size, TTL: time.Hour, NegativeTTL: time.Minute, StaleTTL: 2 * time.Hour})
}

func (c *Cache) put(user, password string, good bool, now time.Time) {
	c.Store(c.Key(user, password), user, Answer{Good: good}, c.Epoch(), now)
}

func (c *Cache) check(t *testing.T, user, password string, after time.Duration, want Found, good bool) {
	t.Helper()
	if a, found := c.Lookup(c.Key(user, password), start.Add(after)); found != want || a.Good != good {
		t.Errorf("%s with %q after %v: %v, good %v; want %v, %v", user, password, after, found, a.Good, want, good)
	}
}

func TestLookup(t *testing.T) {
	c := newCache(10)
	c.check(t, "bob", "a", 0, Miss, false)
	c.put("bob", "a", true, start)
	c.check(t, "bob", "a", time.Hour-1, Hit, true)
	c.check(t, "bob", "b", 0, Miss, false)
	c.check(t, "ann", "a", 0, Miss, false)
	c.check(t, "bob", "a", time.Hour, Stale, true)
	c.check(t, "bob", "a", 3*time.Hour-1, Stale, true)
	c.check(t, "bob", "a", 3*time.Hour, Miss, false)
	c.check(t, "bob", "a", time.Hour, Miss, false)

	c.put("ann", "x", false, start)
	c.check(t, "ann", "x", time.Minute-1, Hit, false)
	c.check(t, "ann", "x", time.Minute, Miss, false)
	c.check(t, "ann", "x", 0, Miss, false)
}

func TestClockSetBack(t *testing.T) {
	c := newCache(10)
	c.put("bob", "a", true, start)
	c.put("ann", "a", false, start)
	c.check(t, "bob", "a", -time.Second, Miss, false)
	c.check(t, "ann", "a", -time.Second, Miss, false)
}

// A login of a user does not change how long another password is remembered.
func TestRefusedPasswordAfterAGoodLogin(t *testing.T) {
	c := newCache(10)
	c.put("bob", "old", false, start)
	c.put("bob", "new", true, start.Add(2*time.Second))
	c.check(t, "bob", "old", 3*time.Second, Hit, false)
	c.check(t, "bob", "new", 4*time.Second, Hit, true)
	c.check(t, "bob", "old", time.Minute-1, Hit, false)
	c.check(t, "bob", "old", time.Minute, Miss, false)
}

// A password that was right becomes wrong, and the other way round.
func TestAnswersReplaceEachOther(t *testing.T) {
	c := newCache(10)
	c.put("bob", "a", true, start)
	c.put("bob", "a", false, start.Add(time.Second))
	c.check(t, "bob", "a", 2*time.Second, Hit, false)
	c.put("bob", "a", true, start.Add(3*time.Second))
	c.check(t, "bob", "a", 4*time.Second, Hit, true)
	if good, bad := c.Len(); good != 1 || bad != 0 {
		t.Errorf("%d good, %d bad", good, bad)
	}
}

func TestBounds(t *testing.T) {
	c := newCache(10)
	c.put("bob", "a", true, start)
	for i := range 1000 {
		c.put(fmt.Sprint("user", i), "guess", false, start)
		c.put("bob", fmt.Sprint("guess", i), false, start)
	}
	if good, bad := c.Len(); good != 1 || bad != 10 {
		t.Errorf("%d good, %d bad", good, bad)
	}
	c.check(t, "bob", "a", time.Second, Hit, true)
	for i := range 1000 {
		c.put(fmt.Sprint("user", i), "right", true, start)
	}
	if good, _ := c.Len(); good != 10 {
		t.Errorf("%d good", good)
	}
	c.check(t, "bob", "a", time.Second, Miss, false)
	if New(Config{}) != nil {
		t.Error("a cache without entries")
	}
}

// A mail server cannot make an entry larger than its reply may be.
func TestLongReply(t *testing.T) {
	c := newCache(10)
	for length, want := range map[int]int{0: 0, MaxReply: MaxReply, MaxReply + 1: MaxReply} {
		k := c.Key(fmt.Sprint(length))
		c.Store(k, "bob", Answer{Good: true, Reply: strings.Repeat("x", length)}, c.Epoch(), start)
		if a, _ := c.Lookup(k, start); len(a.Reply) != want {
			t.Errorf("of a reply of %d bytes %d are kept, want %d", length, len(a.Reply), want)
		}
	}
}

func TestNegativeTTLZero(t *testing.T) {
	c := New(Config{Size: 10, TTL: time.Hour})
	c.put("bob", "a", false, start)
	c.check(t, "bob", "a", 0, Miss, false)
	c.put("bob", "a", true, start)
	c.check(t, "bob", "a", time.Hour, Miss, false)
}

func TestFlush(t *testing.T) {
	c := newCache(10)
	c.put("bob", "a", true, start)
	c.put("bob", "b", false, start.Add(1))
	c.put("ann", "a", true, start)
	epoch := c.Epoch()
	if n := c.Flush(func(user string) bool { return user == "bob" }); n != 2 {
		t.Errorf("%d flushed", n)
	}
	c.check(t, "bob", "a", 1, Miss, false)
	c.check(t, "ann", "a", 1, Hit, true)
	// An answer from before the flush is not stored after it.
	c.Store(c.Key("bob", "a"), "bob", Answer{Good: true}, epoch, start)
	c.check(t, "bob", "a", 1, Miss, false)
}

// Only answers that count are counted.
func TestCount(t *testing.T) {
	c := newCache(10)
	c.put("bob", "a", true, start)
	c.put("bob", "b", false, start)
	c.put("bob", "c", false, start)
	c.put("ann", "a", true, start)
	for after, want := range map[time.Duration][2]int{
		-1: {}, 0: {1, 2}, time.Minute - 1: {1, 2}, time.Minute: {1, 0}, 3*time.Hour - 1: {1, 0}, 3 * time.Hour: {},
	} {
		if good, bad := c.Count("bob", start.Add(after)); [2]int{good, bad} != want {
			t.Errorf("after %v: %d right and %d refused, want %v", after, good, bad, want)
		}
	}
}

func TestKeysTellPartsApart(t *testing.T) {
	c := newCache(10)
	keys := map[Key]bool{c.Key(): true, c.Key(""): true, c.Key("", ""): true, c.Key("ab", "c"): true, c.Key("a", "bc"): true, c.Key("abc"): true}
	if len(keys) != 6 {
		t.Errorf("%d keys for 6 lists", len(keys))
	}
	if newCache(10).Key("a") == c.Key("a") {
		t.Error("two caches have one secret")
	}
}

func BenchmarkLookup(b *testing.B) {
	for _, size := range []int{1000, 100000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := newCache(size)
			for i := range size {
				c.put(fmt.Sprint("user", i), "password", true, start)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, found := c.Lookup(c.Key("user7", "password"), start); found != Hit {
					b.Fatal("not found")
				}
			}
		})
	}
}
