package throttle

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// scene is a throttle with a clock, and with as many different passwords as a test needs.
type scene struct {
	*testing.T
	throttle *Throttle
	now      time.Time
	guesses  int
	chosen   map[string]string // the password of each name
	tags     map[uint16]bool   // the tags of these passwords
}

// newScene makes a scene whose counters are those of one machine.
func newScene(t *testing.T, c Config) *scene {
	t.Helper()
	return stores[0].scene(t, c)
}

// password returns the password of a name. All passwords have different tags, until most tags are used.
func (s *scene) password(name string) string {
	if len(s.tags) > 1<<15 {
		clear(s.chosen)
		clear(s.tags)
	}
	for i := 0; s.chosen[name] == ""; i++ {
		p := fmt.Sprint(name, " ", i)
		if tag := s.throttle.tag(p); !s.tags[tag] {
			s.tags[tag] = true
			s.chosen[name] = p
		}
	}
	return s.chosen[name]
}

func (s *scene) fail(from, user, password string) {
	s.throttle.Fail(s.Context(), addr(from), user, s.password(password), s.now)
}

// knows checks whether the network is known for the user.
func knows(from, user string, want bool) step {
	return func(s *scene) {
		s.Helper()
		if v := s.check(from, user); v.Known != want {
			s.Errorf("%s from %s: %+v, want known %v", user, from, v, want)
		}
	}
}

// check asks whether a login may be tried. Whatever the scene, Look must say the same.
func (s *scene) check(from, user string) Verdict {
	held := s.throttle.Look(s.Context(), addr(from), user, s.now)
	v := s.throttle.Allow(s.Context(), addr(from), user, s.now)
	if (len(held) > 0) != (v.Over != "") || len(held) > 0 && held[0].Counter != v.Over {
		s.Errorf("%s from %s: Look = %+v, Allow = %+v", user, from, held, v)
	}
	return v
}

// guess tries a new password, and reports whether it was allowed.
func (s *scene) guess(from, user string) bool {
	if !s.check(from, user).Allowed {
		return false
	}
	s.guesses++
	s.fail(from, user, fmt.Sprint("guess ", s.guesses))
	return true
}

// addr parses an address. It returns the invalid address for any other string.
func addr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

// step is one step of a scenario.
type step func(*scene)

// guesses tries n new passwords, which must be allowed.
func guesses(n int, from, user string) step {
	return func(s *scene) {
		s.Helper()
		for i := range n {
			if !s.guess(from, user) {
				s.Fatalf("guess %d of %d at %s from %s: refused", i+1, n, user, from)
			}
		}
	}
}

func fails(from, user, password string) step {
	return func(s *scene) { s.fail(from, user, password) }
}

func succeeds(from, user string) step {
	return func(s *scene) {
		s.Helper()
		allowed(from, user)(s)
		s.throttle.Succeed(s.Context(), addr(from), user, s.now)
	}
}

func allowed(from, user string) step { return verdict(from, user, "") }

func verdict(from, user string, over Counter) step {
	return func(s *scene) {
		s.Helper()
		if v := s.check(from, user); v.Allowed != (over == "") || v.Over != over {
			s.Errorf("%s from %s at %v: %+v, want over %q", user, from, s.now, v, over)
		}
	}
}

func after(d time.Duration) step { return func(s *scene) { s.now = s.now.Add(d) } }

// each runs n steps, for example for n addresses or n users.
func each(n int, one func(i int) step) step {
	return func(s *scene) {
		s.Helper()
		for i := range n {
			one(i)(s)
		}
	}
}

func times(n int, steps ...step) step {
	return each(n, func(int) step { return all(steps...) })
}

func all(steps ...step) step {
	return func(s *scene) {
		s.Helper()
		for _, run := range steps {
			run(s)
		}
	}
}

// host returns an address in one of many networks.
func host(i int) string { return netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}).String() }

// distributed tries n new passwords for one user, each from another network.
func distributed(n int, user string) step {
	return each(n, func(i int) step { return guesses(1, host(i), user) })
}

const (
	home   = "192.0.2.1"
	mobile = "192.0.2.2"
	bob    = "bob@domain1.com"
	alice  = "alice@domain02.com"
)

func user(i int) string { return fmt.Sprintf("user%d@domain1.com", i) }

func TestScenarios(t *testing.T) {
	t.Parallel()
	inEachStore(t, func(t *testing.T, st store) {
		for _, set := range [][]scenario{counting, decaying, succeeding, networking, attacking, forgetting} {
			for _, sc := range set {
				sc.run(t, st)
			}
		}
	})
}

// TestEviction has scenarios about the tables of one machine. Redis removes entries by their age.
func TestEviction(t *testing.T) {
	for _, sc := range evicting {
		sc.run(t, stores[0])
	}
}

func (sc scenario) run(t *testing.T, st store) {
	t.Run(sc.name, func(t *testing.T) {
		t.Parallel()
		c := Defaults()
		if sc.config != nil {
			sc.config(&c)
		}
		all(sc.steps...)(st.scene(t, c))
	})
}

type scenario struct {
	name   string
	config func(*Config)
	steps  []step
}

func TestPenaltyGrowsAndDecays(t *testing.T) {
	s := newScene(t, Defaults())
	last := s.check(home, bob).Penalty
	if last != DefaultPenalty {
		t.Errorf("before the first failure %v, want %v", last, DefaultPenalty)
	}
	for s.guess(home, bob) {
		p := s.check(home, bob).Penalty
		if p <= last || p > DefaultMaxPenalty {
			t.Errorf("%v after %v, limit %v", p, last, DefaultMaxPenalty)
		}
		last = p
	}
	if last < DefaultMaxPenalty-time.Millisecond {
		t.Errorf("%v at the limit, want %v", last, DefaultMaxPenalty)
	}
	s.now = s.now.Add(24 * time.Hour)
	if p := s.check(home, bob).Penalty; p > DefaultPenalty+time.Millisecond {
		t.Errorf("%v a day later, want %v", p, DefaultPenalty)
	}
}

func TestLogOnly(t *testing.T) {
	c := Defaults()
	c.LogOnly = true
	s := newScene(t, c)
	guesses(c.PairLimit*100, home, bob)(s)
	if got, want := s.check(home, bob), (Verdict{Allowed: true, Known: true, Network: netip.MustParsePrefix("192.0.2.1/32"), Over: Pair}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestTablesAreBounded tests that no table exceeds MaxEntries.
func TestTablesAreBounded(t *testing.T) {
	t.Parallel()
	c := Defaults()
	c.MaxEntries = 100
	s := newScene(t, c)
	for i := range 5000 {
		s.throttle.Fail(s.Context(), addr(host(i)), user(i), "guess", s.now)
		s.throttle.Succeed(s.Context(), addr(host(i)), user(i), s.now)
	}
	for _, c.MaxEntries = range []int{100, 10} { // also after a reload
		if err := s.throttle.Configure(c); err != nil {
			t.Fatal(err)
		}
		b := &s.throttle.tables
		for _, n := range []int{b.networks.Len(), b.users.Len(), b.pairs.Len(), b.known.Len()} {
			if n != c.MaxEntries {
				t.Errorf("%d entries, want %d", n, c.MaxEntries)
			}
		}
	}
}

// TestConcurrent tests that no failure is lost or counted twice.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	c := Defaults()
	c.PairLimit = 0
	inEachStore(t, func(t *testing.T, st store) { testConcurrent(t, st.scene(t, c), c) })
}

func testConcurrent(t *testing.T, s *scene, c Config) {
	passwords := make([]string, c.NetworkLimit/8+1) // for each of 8 goroutines: 104 in all
	for i := range passwords {
		passwords[i] = s.password(fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for _, p := range passwords {
				s.throttle.Allow(s.Context(), addr(home), bob, s.now)
				s.throttle.Fail(s.Context(), addr(home), user(g), p, s.now)
				s.throttle.Fail(s.Context(), addr(home), user(g), p, s.now)
				s.throttle.Succeed(s.Context(), addr(mobile), user(g), s.now)
				if err := s.throttle.Configure(c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	prefix, _ := c.Network(addr(home))
	for g := range 8 {
		s.throttle.refresh(t.Context(), s.throttle.keys(prefix, user(g)), s.now)
	}
	if network, pairs := s.throttle.tables.networks, s.throttle.tables.pairs; network.Len() != 1 || pairs.Len() != 8 {
		t.Errorf("%d networks, %d pairs", network.Len(), pairs.Len())
	}
	if e, _ := s.throttle.tables.networks.Get(s.throttle.keys(prefix, bob).network); e == nil || e.count != 104 {
		t.Errorf("%+v, want a count of 104", e)
	}
}

func TestConfigureKeepsCounts(t *testing.T) {
	s := newScene(t, Defaults())
	all(succeeds(home, alice), guesses(10, home, bob), distributed(30, alice))(s)
	c := Defaults()
	c.MaxEntries *= 2
	if err := s.throttle.Configure(c); err != nil {
		t.Fatal(err)
	}
	all(verdict(home, bob, Pair), verdict(mobile, alice, User), allowed(home, alice))(s)
	c.PairLimit, c.HalfLife = 20, 0
	if err := s.throttle.Configure(c); err == nil {
		t.Error("Configure accepted a half-life of 0")
	}
	verdict(home, bob, Pair)(s)
	c.HalfLife = time.Hour
	if err := s.throttle.Configure(c); err != nil {
		t.Fatal(err)
	}
	allowed(home, bob)(s)
}

func TestRefusesConfig(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.NetworkLimit = -1 },
		func(c *Config) { c.UserLimit = maxLimit + 1 },
		func(c *Config) { c.PairLimit = -1 },
		func(c *Config) { c.IPv4Prefix = 33 },
		func(c *Config) { c.IPv6Prefix = 0 },
		func(c *Config) { c.MaxEntries = 0 },
		func(c *Config) { c.MaxEntries = maxEntries + 1 },
		func(c *Config) { c.HalfLife = minHalfLife - 1 },
		func(c *Config) { c.Penalty = -1 },
		func(c *Config) { c.Penalty = c.MaxPenalty + 1 },
		func(c *Config) { c.MaxPenalty = longestWait + 1 },
	} {
		c := Defaults()
		change(&c)
		if _, err := New(c, time.Time{}); err == nil {
			t.Errorf("New accepted %+v", c)
		}
	}
}
