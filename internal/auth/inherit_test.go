package auth

import (
	"io"
	"testing"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/limit"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
)

// reloaded is the Authenticator of a changed configuration, after one in which things have happened.
func reloaded(t *testing.T, old *Authenticator, change func(c *Config, s *route.Server)) *Authenticator {
	t.Helper()
	c, s := old.Config, *old.Servers[0]
	if change != nil {
		change(&c, &s)
	}
	c.Servers = []*route.Server{&s}
	next := New(c, old.Resolver)
	next.Inherit(old, nil)
	return next
}

// inheritable is a configuration with everything that can be inherited.
func inheritable(t *testing.T) *Authenticator {
	t.Helper()
	limits := throttle.Defaults()
	limits.PairLimit = 1
	s := newServer("box1", "192.0.2.1")
	s.MaxConnections, s.Warm, s.WarmTTL = 10, 1, time.Minute
	a := New(Config{
		Methods: []string{"plain"}, FailureMessage: failed, HashConcurrency: 2,
		Servers:  []*route.Server{s},
		Domains:  route.NewTable([]*route.Domain{{Name: "users.example", Verify: route.VerifyUsers, Servers: []*route.Server{s}}}),
		Users:    userMap(t, alice),
		Cache:    cache.Config{Size: 10, TTL: time.Hour, NegativeTTL: time.Minute},
		Throttle: &limits,
	}, route.NewResolver(nil))
	a.Inherit(nil, nil)
	return a
}

func TestInheritLimits(t *testing.T) {
	for _, tt := range []struct {
		name            string
		change          func(c *Config, s *route.Server)
		hashes, servers bool // are kept
	}{
		{"nothing", nil, true, true},
		{"hash_concurrency", func(c *Config, _ *route.Server) { c.HashConcurrency = 3 }, false, true},
		{"max_connections", func(_ *Config, s *route.Server) { s.MaxConnections = 11 }, true, false},
		{"warm", func(_ *Config, s *route.Server) { s.Warm = 2 }, true, false},
		{"warm_ttl", func(_ *Config, s *route.Server) { s.WarmTTL = time.Second }, true, false},
		{"another name", func(_ *Config, s *route.Server) { s.Name = "box2" }, true, false},
		{"another host", func(_ *Config, s *route.Server) { s.Host = "192.0.2.2" }, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old := inheritable(t)
			next := reloaded(t, old, tt.change)
			if kept := next.hashing == old.hashing; kept != tt.hashes {
				t.Errorf("logins in flight count for hashes: %t", kept)
			}
			if next.hashing.Config().Slots != next.HashConcurrency {
				t.Errorf("%d hashes at a time, want %d", next.hashing.Config().Slots, next.HashConcurrency)
			}
			name := next.Servers[0].Name
			was, is := old.servers["box1"], next.servers[name]
			if kept := is.pool == was.pool && is.slots == was.slots; kept != tt.servers || (is.pool == was.pool) != (is.slots == was.slots) {
				t.Errorf("connections in flight count: %t", kept)
			}
			if is.Server != next.Servers[0] || is.slots.Config().Slots != is.MaxConnections {
				t.Errorf("server %+v, slots %+v", is.Server, is.slots.Config())
			}
			if next.asking != old.asking || next.hashes != old.hashes {
				t.Error("logins in flight no longer count")
			}
			slot, err := is.slots.Acquire(t.Context(), 0, limit.Client{})
			if all, _ := next.asking.Callers(); err != nil || all != 1 {
				t.Errorf("%d logins at servers, want one (%v)", all, err)
			}
			slot.Release()
			old.Close(next)
			next.Close(nil)
		})
	}
}

func TestInheritMemory(t *testing.T) {
	held := from("192.0.2.7", alice, right)
	for _, tt := range []struct {
		name            string
		change          func(c *Config, s *route.Server)
		cache, throttle bool // are kept
	}{
		{"nothing", nil, true, true},
		{"ttl", func(c *Config, _ *route.Server) { c.Cache.TTL++ }, false, true},
		{"no cache", func(c *Config, _ *route.Server) { c.Cache.Size = 0 }, false, true},
		{"throttle", func(c *Config, _ *route.Server) {
			limits := *c.Throttle
			limits.UserLimit++
			c.Throttle = &limits
		}, true, true},
		{"no throttle", func(c *Config, _ *route.Server) { c.Throttle = nil }, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old := inheritable(t)
			wants(t, old, from("192.0.2.1", alice, right), authhttp.OK, "", "")
			wants(t, old, from("192.0.2.7", alice, wrong), authhttp.Reject, authlog.PasswordMismatch, "")
			wants(t, old, held, authhttp.Reject, authlog.Policy, "pair")
			next := reloaded(t, old, tt.change)
			_, event := answer(t, next, from("192.0.2.1", alice, right))
			if kept := event.Cache == "hit"; kept != tt.cache || event.Outcome != "ok" {
				t.Errorf("answered from memory: %t (%s)", kept, event.Error)
			}
			_, event = answer(t, next, held)
			if kept := event.Throttle == "pair"; kept != tt.throttle {
				t.Errorf("held back: %t (%s)", kept, event.Error)
			}
			if next.Throttles() != tt.throttle {
				t.Errorf("Throttles is %t", next.Throttles())
			}
		})
	}
}

func TestInheritHealth(t *testing.T) {
	old := inheritable(t)
	for range route.MaxFails {
		ticket, _ := old.Health.Of(old.Servers[0], "imap").Allow()
		ticket.Failed(io.EOF)
	}
	next := reloaded(t, old, nil)
	if s := next.Health.Of(next.Servers[0], "imap").State(); s != route.Open {
		t.Errorf("the server is %v after a reload", s)
	}
}
