package server

import (
	"sync"

	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

func newPools(servers []*route.Server) map[string]*upstream.Pool {
	pools := make(map[string]*upstream.Pool, len(servers))
	for _, s := range servers {
		pools[s.Name] = upstream.NewPool(s.MaxConnections, s.Warm, s.WarmTTL)
	}
	return pools
}

// keepPools takes over the pools of servers that may have as many connections as before,
// for those of the logins in flight count. What they kept warm was opened by other settings.
func keepPools(next, old *state) {
	before := make(map[string]*route.Server, len(old.config.Servers))
	for _, s := range old.config.Servers {
		before[s.Name] = s
	}
	for _, s := range next.config.Servers {
		if was := before[s.Name]; was != nil && was.MaxConnections == s.MaxConnections && was.Warm == s.Warm && was.WarmTTL == s.WarmTTL {
			pool := old.auth.Pools[s.Name]
			pool.DropWarm()
			next.auth.Pools[s.Name] = pool
		}
	}
}

// closePools closes those that the next state, if there is one, has no use for.
func closePools(old, next *state) {
	var closing sync.WaitGroup
	for name, pool := range old.auth.Pools {
		if next == nil || next.auth.Pools[name] != pool {
			closing.Go(pool.Close)
		}
	}
	closing.Wait()
}
