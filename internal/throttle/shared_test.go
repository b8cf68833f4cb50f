package throttle

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"mailauthd/internal/redisdb"
)

// site is a few machines with one Redis, whose clock the machines have.
type site struct {
	*testing.T
	redis    *miniredis.Miniredis
	machines []*machine
}

type machine struct {
	*scene
	db *redisdb.Client
}

func newSite(t *testing.T, machines int) *site {
	t.Helper()
	s := &site{T: t, redis: miniredis.RunT(t)}
	s.addMachines(machines)
	return s
}

func (s *site) addMachines(n int) {
	s.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for range n {
		throttle := shareWith(s.T, Defaults(), now, s.redis.Addr(), "test:", func(redisdb.Change) {})
		first := len(s.machines) * 1_000_000 // each machine has passwords of its own
		m := &machine{&scene{T: s.T, throttle: throttle, now: now, guesses: first, chosen: map[string]string{}, tags: map[uint16]bool{}}, throttle.SharedBy()}
		throttle.shared.now, throttle.shared.fixed = func() time.Time { return m.now }, true
		s.machines = append(s.machines, m)
	}
	s.up(true)
}

// up waits until all machines use Redis, or none.
func (s *site) up(want bool) {
	s.Helper()
	for _, m := range s.machines {
		s.poll(func() bool { up, _, _ := m.db.Up(); return up == want }, "a machine does not see whether Redis is up")
	}
}

func (s *site) poll(done func() bool, what string) {
	s.Helper()
	for end := time.Now().Add(patient); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatal(what)
		}
	}
}

// tick lets a moment pass, so that what happens next is later.
func (s *site) tick() {
	for _, m := range s.machines {
		m.now = m.now.Add(time.Millisecond)
	}
}

// outage makes Redis refuse everything until the returned function is called.
func (s *site) outage() (end func()) {
	s.Helper()
	s.redis.SetError("LOADING Redis is loading the dataset in memory")
	for _, m := range s.machines {
		m.check(home, "somebody@domain1.com") // notices it
	}
	s.up(false)
	return func() {
		s.Helper()
		s.redis.SetError("")
		s.up(true)
	}
}

// flush makes Redis lose everything, and waits until the machines have brought back what they have seen.
func (s *site) flush() {
	s.Helper()
	s.redis.FlushAll()
	for _, m := range s.machines {
		if err := m.db.Look(s.Context()); err != nil {
			s.Fatal(err)
		}
	}
	s.up(true)
}

// count returns a count as all machines see it.
func (s *site) count(c Counter, from, user string) float64 {
	s.Helper()
	m := s.machines[0]
	network, _ := m.throttle.network(addr(from))
	k := m.throttle.keys(network, user)
	m.throttle.refresh(s.Context(), k, m.now)
	e, ok := m.throttle.tables.of(c).Peek(map[Counter]uint64{Pair: k.pair, Network: k.network, User: k.user}[c])
	if !ok {
		return 0
	}
	return e.count
}

func (s *site) wantCount(c Counter, from, user string, want float64) {
	s.Helper()
	if got := s.count(c, from, user); math.Abs(got-want) > 0.001 {
		s.Errorf("the %s of %s from %s has the count %v, want %v", c, user, from, got, want)
	}
}

// Guesses that are spread over machines are as many as on one machine.
func TestGuessesOnSeveralMachines(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3)
	for i := range 10 {
		guesses(1, home, bob)(s.machines[i%3].scene)
	}
	for _, m := range s.machines {
		verdict(home, bob, Pair)(m.scene)
	}
	for i := range 20 {
		guesses(1, host(i), bob)(s.machines[i%3].scene)
	}
	for _, m := range s.machines {
		verdict(mobile, bob, User)(m.scene)
	}
}

// A password that was wrong on one machine is no new guess on another.
func TestRepeatedPasswordOnSeveralMachines(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	for i := range 20 {
		s.machines[i%2].throttle.Fail(t.Context(), addr(home), bob, "old", s.machines[0].now)
	}
	s.wantCount(Pair, home, bob, 1)
	s.wantCount(User, home, bob, 1)
}

func TestKnownNetworkOnSeveralMachines(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	succeeds(home, bob)(s.machines[0].scene)
	distributed(30, bob)(s.machines[1].scene)
	for _, m := range s.machines {
		all(verdict(mobile, bob, User), knows(home, bob, true), allowed(home, bob))(m.scene)
	}
}

// A success from the last known network costs one round trip, that of Allow.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	m := s.machines[0]
	trips := func(step func()) int64 {
		before := m.db.RoundTrips()
		step()
		return m.db.RoundTrips() - before
	}
	login := func(from string) func() {
		return func() {
			m.throttle.Allow(t.Context(), addr(from), bob, m.now)
			m.throttle.Succeed(t.Context(), addr(from), bob, m.now)
		}
	}
	failure := func() {
		m.throttle.Allow(t.Context(), addr(home), bob, m.now)
		m.fail(home, bob, "wrong")
	}
	for i, tt := range []struct {
		step func()
		want int64
	}{
		{login(home), 2}, {login(home), 1}, {failure, 2}, {login(home), 2}, {login(home), 1}, {login(mobile), 2}, {login(home), 2},
		{func() { m.now = m.now.Add(knownRefresh) }, 0}, {login(home), 2}, {login(home), 1},
	} {
		if got := trips(tt.step); got != tt.want {
			t.Errorf("step %d: %d round trips, want %d", i, got, tt.want)
		}
	}
}

// While Redis does not answer, each machine has its own limits and what it has seen. Afterwards all counts are there.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	a, b := s.machines[0], s.machines[1]
	guesses(4, home, bob)(a.scene)
	succeeds(mobile, alice)(b.scene)
	end := s.outage()
	guesses(3, home, bob)(a.scene)  // has seen 4
	guesses(2, home, bob)(b.scene)  // has seen none
	distributed(30, alice)(b.scene) // has seen that mobile is known
	all(verdict(host(99), alice, User), allowed(mobile, alice))(b.scene)
	succeeds(host(200), alice)(a.scene)
	for _, m := range s.machines {
		m.now = m.now.Add(time.Hour)
	}
	end()
	s.wantCount(Pair, home, bob, (4.0+3+2)/2)
	s.wantCount(User, home, alice, 30.0/2)
	knows(host(200), alice, true)(b.scene)
	if waiting, dropped := a.throttle.Unsent(); waiting != 0 || dropped != 0 {
		t.Errorf("%d events wait, %d were dropped", waiting, dropped)
	}
}

// A failure that may have reached Redis is sent again, and counts once.
func TestSentTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	m := s.machines[0]
	guesses(1, home, bob)(m.scene)
	network, _ := m.throttle.network(addr(home))
	k := m.throttle.keys(network, bob)
	m.throttle.shared.unsent.add(event{keys: k, tag: m.throttle.tag(m.password("guess 1")), at: m.now})
	m.db.Pending()
	s.poll(func() bool { waiting, _ := m.throttle.Unsent(); return waiting == 0 }, "the failure was not sent")
	s.wantCount(Pair, home, bob, 1)
}

// The same holds if other failures of the user have replaced its password among those that are remembered of the user.
func TestSentTwiceAmongOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	m := s.machines[0]
	guesses(1, home, bob)(m.scene)
	network, _ := m.throttle.network(addr(home))
	again := event{keys: m.throttle.keys(network, bob), tag: m.throttle.tag(m.password("guess 1")), at: m.now}
	distributed(passwords, bob)(m.scene)
	m.throttle.shared.unsent.add(again)
	if err := m.throttle.bringIn(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	s.wantCount(Pair, home, bob, 1)
	s.wantCount(User, home, bob, 1+passwords)
}

// A success during an outage does not take back failures that other machines have counted later.
func TestLateSuccess(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	m := s.machines[0]
	network, _ := m.throttle.network(addr(home))
	success := event{keys: m.throttle.keys(network, bob), at: m.now}
	m.now = m.now.Add(time.Second)
	guesses(5, home, bob)(m.scene)
	m.throttle.shared.unsent.add(success)
	m.db.Pending()
	s.poll(func() bool { waiting, _ := m.throttle.Unsent(); return waiting == 0 }, "the success was not sent")
	s.wantCount(Pair, home, bob, 5)
	knows(home, bob, true)(m.scene)
}

// After Redis has lost everything, the machines bring back what each saw last.
func TestFlushedRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	a, b := s.machines[0], s.machines[1]
	guesses(5, home, bob)(a.scene)
	s.tick()
	guesses(4, home, bob)(b.scene) // a has seen 5, b 9
	guesses(3, home, alice)(a.scene)
	s.tick()
	succeeds(home, alice)(b.scene) // a has seen 3, b 0
	succeeds(mobile, bob)(a.scene)
	s.flush()
	s.wantCount(Pair, home, bob, 9)
	s.wantCount(Network, home, bob, 9)
	s.wantCount(User, home, bob, 9)
	s.wantCount(Pair, home, alice, 0)
	for _, m := range s.machines {
		knows(mobile, bob, true)(m.scene)
	}
	guesses(1, home, bob)(a.scene)
	verdict(home, bob, Pair)(b.scene)
	s.flush() // what was brought back once is brought back again
	s.wantCount(Pair, home, bob, 10)
}

// What is counted before a machine brings back the rest is kept.
func TestCountedBeforeSeeds(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	a, b := s.machines[0], s.machines[1]
	guesses(6, home, bob)(a.scene)
	s.redis.FlushAll()
	if err := b.db.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.poll(func() bool { up, _, _ := b.db.Up(); return up }, "not up")
	guesses(2, home, bob)(b.scene)
	if err := a.db.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.up(true)
	s.wantCount(Pair, home, bob, 8)
	s.wantCount(Network, home, bob, 8)
}

// What this machine has seen decides the first login after Redis has lost its data.
func TestFirstLoginAfterFlush(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	guesses(10, home, bob)(s.machines[0].scene)
	s.redis.FlushAll()
	verdict(home, bob, Pair)(s.machines[0].scene)
	s.up(true)
	s.wantCount(Pair, home, bob, 10)
}

func TestForgetOnSeveralMachines(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	a, b := s.machines[0], s.machines[1]
	guesses(10, home, bob)(a.scene)
	distributed(20, bob)(b.scene)
	forgets(1+20+1, bob)(b.scene)
	for _, m := range s.machines {
		all(allowed(mobile, bob), allowed(home, bob))(m.scene)
	}
	guesses(10, home, bob)(a.scene)
	guesses(10, home, alice)(b.scene)
	forgetsNetwork(3, home)(a.scene)
	for _, m := range s.machines {
		all(allowed(home, bob), allowed(home, alice))(m.scene)
	}
	end := s.outage()
	if _, err := a.throttle.ForgetUser(t.Context(), bob, a.now); err == nil {
		t.Error("no error while Redis is set aside")
	}
	end()
}

// Whoever reads Redis finds no name, no address and no password, and every key has an end.
func TestNothingTellsInRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	m := s.machines[0]
	guesses(3, home, bob)(m.scene)
	succeeds(home, bob)(m.scene)
	succeeds(mobile, alice)(m.scene)
	m.throttle.Fail(t.Context(), addr(home), alice, "Secret-Password", m.now)
	dump := s.redis.Dump()
	for _, word := range []string{"bob", "alice", "domain", "192.0", "Secret", "Password"} {
		if strings.Contains(dump, word) {
			t.Errorf("Redis has %q:\n%s", word, dump)
		}
	}
	for _, key := range s.redis.Keys() {
		if s.redis.TTL(key) < minKept || !strings.HasPrefix(key, "test:{1}:") {
			t.Errorf("%s is kept for %v", key, s.redis.TTL(key))
		}
	}
}

func TestUnsentIsBounded(t *testing.T) {
	var u unsent
	for i := range MaxUnsent + 10 {
		u.add(event{tag: 1, keys: keys{pair: uint64(i)}})
	}
	if len(u.events) > MaxUnsent || u.dropped+len(u.events) != MaxUnsent+10 || u.events[len(u.events)-1].pair != MaxUnsent+9 {
		t.Errorf("%d events, %d dropped, the last is %d", len(u.events), u.dropped, u.events[len(u.events)-1].pair)
	}
}
