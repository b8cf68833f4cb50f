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
