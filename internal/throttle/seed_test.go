package throttle

import (
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2/server"
)

// A machine reads the counters that it brings back in batches, so that no login waits until all are read: what is removed
// while the first batch is sent is not brought back.
func TestSeedsAreReadInBatches(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	throttle := s.machines[0].throttle
	for i := range 2 * maxBatch {
		throttle.tables.users.Add(uint64(i+1), &entry{seen: 1, seenAt: 1})
	}
	var once sync.Once
	s.redis.Server().SetPreHook(func(*server.Peer, string, ...string) bool {
		once.Do(func() {
			throttle.mu.Lock()
			defer throttle.mu.Unlock()
			throttle.tables.users.Purge()
		})
		return false
	})
	config := throttle.configNow()
	if err := throttle.seedAll(t.Context(), &config); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(strings.Join(s.redis.Keys(), "\n"), ":u:"); n != maxBatch {
		t.Errorf("%d counters were brought back, want %d", n, maxBatch)
	}
}

// After an older state of Redis was restored, such as a snapshot, the machines bring back what was counted later, once.
func TestRestoredRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	a, b := s.machines[0], s.machines[1]
	guesses(4, home, bob)(a.scene)
	guesses(3, home, alice)(b.scene)
	restore := s.snapshot()
	s.tick()
	guesses(2, home, bob)(b.scene)
	s.tick()
	guesses(1, home, bob)(a.scene)
	succeeds(home, alice)(a.scene)
	s.tick()
	distributed(20, bob)(b.scene)
	restore()
	s.tick()
	allowed(mobile, bob)(a.scene) // notices it
	allowed(mobile, bob)(b.scene)
	s.up(true)
	s.wantCount(Pair, home, bob, 7)
	s.wantCount(User, home, bob, 27)
	s.wantCount(Pair, home, alice, 0)
	s.wantCount(Network, home, alice, 7)
	knows(home, alice, true)(b.scene)
	guesses(3, home, bob)(b.scene)
	verdict(home, bob, Pair)(a.scene)
}

// A restored Redis may have as many known networks of a user as it keeps. Later ones take the place of the oldest.
func TestRestoredKnownNetworks(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	m := s.machines[0]
	for i := range networks {
		succeeds(host(i), bob)(m.scene)
		s.tick()
	}
	restore := s.snapshot()
	succeeds(home, bob)(m.scene)
	restore()
	s.tick()
	allowed(mobile, alice)(m.scene) // notices it
	s.up(true)
	knows(home, bob, true)(m.scene)
	knows(host(networks-1), bob, true)(m.scene)
	knows(host(0), bob, false)(m.scene)
}

// snapshot remembers what Redis has until the returned function restores it.
func (s *site) snapshot() (restore func()) {
	values, site := map[string]string{}, map[string]string{}
	key := s.machines[0].db.Key("site")
	for _, k := range s.redis.Keys() {
		if k != key {
			values[k], _ = s.redis.Get(k)
		}
	}
	for _, field := range []string{"id", "epoch", "secret", "writes", "generation"} {
		site[field] = s.redis.HGet(key, field)
	}
	return func() {
		s.redis.FlushAll()
		for k, v := range values {
			_ = s.redis.Set(k, v)
		}
		for field, v := range site {
			s.redis.HSet(key, field, v)
		}
	}
}

// The same older state may be restored twice. Then its counts are not those since Redis lost its data, although the id of
// the site is one from before the first time.
func TestRestoredTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	a, b := s.machines[0], s.machines[1]
	guesses(4, home, bob)(a.scene)
	restore := s.snapshot()
	s.tick()
	guesses(3, home, bob)(b.scene)
	for range 2 {
		restore()
		s.tick()
		allowed(mobile, bob)(b.scene) // notices it
		s.up(true)
		allowed(mobile, bob)(a.scene)
		s.up(true)
		s.wantCount(Pair, home, bob, 7)
		s.wantCount(User, home, bob, 7)
	}
}
