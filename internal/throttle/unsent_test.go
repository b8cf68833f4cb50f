package throttle

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2/server"
)

// After an error in the middle, events that Redis has got are sent again. Each counts once.
func TestSentAgainAfterError(t *testing.T) {
	t.Parallel()
	const guessed = 40
	s := newSite(t, 1)
	m := s.machines[0]
	network, _ := m.throttle.network(addr(home))
	k := m.throttle.keys(network, bob)
	for i := range guessed {
		m.throttle.shared.unsent.add(event{keys: k, tag: m.throttle.tag(m.password(fmt.Sprint(i))), at: m.now})
	}
	var calls atomic.Int64
	s.redis.Server().SetPreHook(func(c *server.Peer, command string, _ ...string) bool {
		fails := command == "EVALSHA" && calls.Add(1)%11 == 4
		if fails {
			c.WriteError("LOADING")
		}
		return fails
	})
	for failed := 0; ; failed++ {
		if err := m.throttle.bringIn(t.Context(), false); err == nil && failed > 0 {
			break
		}
		if failed > guessed {
			t.Fatal("it never succeeds")
		}
	}
	s.redis.Server().SetPreHook(nil)
	s.wantCount(User, home, bob, guessed)
	s.wantCount(Network, home, bob, guessed)
}
