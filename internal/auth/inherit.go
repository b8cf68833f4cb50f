package auth

import (
	"reflect"
	"sync"

	"mailauthd/internal/route"
)

// Inherit takes over from the Authenticator of the previous configuration what must survive a reload. It is called
// before the first request. For the first configuration old is nil. A new breaker calls report with each of its
// changes.
//
//	throttle    what was counted, and what Redis has not got, while [redis] and [throttle] shared stay the same
//	cache       the answers, while [cache] stays the same; the keys of answers that no longer count are not found
//	limits      the logins in flight, always; their slots for hashes while hash_concurrency stays the same
//	servers     connections in flight, while the server's max_connections, warm and warm_ttl stay the same;
//	            what was kept warm is closed, because it may have been opened by other settings
//	health      the breakers of unchanged servers: see [route.NewHealth]
//	passdbs     connections, decoys and breakers of those that are configured as before
func (a *Authenticator) Inherit(old *Authenticator, report func(route.Change)) {
	defer func() {
		if a.throttle != nil {
			a.throttle.Register()
		}
	}()
	for _, p := range a.passdbs {
		p.watch(report)
	}
	if old == nil {
		a.Health = route.NewHealth(a.Servers, nil, report)
		return
	}
	a.Health = route.NewHealth(a.Servers, old.Health, report)
	if a.throttle != nil && old.throttle != nil && a.throttle.SharedBy() == old.throttle.SharedBy() && old.throttle.Configure(*a.Throttle) == nil {
		a.throttle = old.throttle
	}
	if a.Cache == old.Cache {
		a.cache = old.cache
	}
	a.hashes, a.asking = old.hashes, old.asking
	if a.HashConcurrency == old.HashConcurrency {
		a.hashing = old.hashing
	} else {
		a.hashing = a.hashes.NewLimiter(a.hashing.Config())
	}
	for _, s := range a.Servers {
		a.add(s) // to the group that was taken over
		was := old.servers[s.Name]
		if was == nil || was.MaxConnections != s.MaxConnections || was.Warm != s.Warm || was.WarmTTL != s.WarmTTL {
			continue
		}
		was.pool.DropWarm()
		a.servers[s.Name] = &mailServer{s, was.pool, was.slots}
	}
	for _, p := range a.Passdbs {
		a.addPassdb(p) // to the group that was taken over
		if was := old.passdbs[p.Name]; was != nil && reflect.DeepEqual(p.Settings, was.Settings) {
			p.Close()
			a.passdbs[p.Name] = was
		} else {
			a.passdbs[p.Name].watch(report)
		}
	}
}

// Close closes the pools of connections that next, which may be nil, has not taken over.
func (a *Authenticator) Close(next *Authenticator) {
	var closing sync.WaitGroup
	for name, s := range a.servers {
		if next == nil || next.servers[name] == nil || next.servers[name].pool != s.pool {
			closing.Go(s.pool.Close)
		}
	}
	for name, p := range a.passdbs {
		if next == nil || next.passdbs[name] != p {
			closing.Go(p.Close)
		}
	}
	closing.Wait()
}
