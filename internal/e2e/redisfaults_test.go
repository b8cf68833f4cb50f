package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The scene of TestRedisFaults.
const (
	faultUserLimit = 50
	guessesEach    = 6   // by each machine before the fault, and
	guessesAtFault = 5   // when it begins, and
	guessesDuring  = 10  // during it: more than the throttle remembers passwords of a user
	outageLogins   = 100 // during the fault, and
	moreLogins     = 5000
	home           = "192.0.2.7"
)

// faultTOML has a half-life in which no count decays while the test runs.
var faultTOML = fmt.Sprintf("\n[throttle]\nshared = true\nhalf_life = \"8760h\"\nuser_limit = %d\n", faultUserLimit)

// victim is the user whose password is guessed on all machines, and neighbour on one machine during the fault.
var (
	victim    = account{"victim@domain02.com", mark + "-victim"}
	neighbour = account{"neighbour@domain02.com", mark + "-neighbour"}
)

// redisFault is something that happens to Redis, or to a machine, under logins.
type redisFault struct {
	name     string
	redis    []string // arguments
	unnotice bool     // Redis is used all the time
	calm     bool     // no guess is in flight when it begins: a dead process loses those, and a clock lets them decay
	decayed  int      // how much of the guesses before has decayed during the fault
	start    func(t *testing.T, f *faultRun, routing string)
	begin    func(t *testing.T, f *faultRun)
	end      func(t *testing.T, f *faultRun)
}

var redisFaults = []redisFault{
	{name: "killed", begin: killRedis, end: runRedis},
	{name: "killed with a file", redis: []string{"--appendonly", "yes"}, begin: killRedis, end: runRedis},
	{name: "killed with a snapshot", start: startWithSnapshot, begin: killRedis, end: runRedis},
	{
		name:  "stopped",
		begin: func(t *testing.T, f *faultRun) { f.redis.suspend(t) },
		end:   func(t *testing.T, f *faultRun) { f.redis.resume(t) },
	},
	{
		name:  "out of memory",
		begin: func(t *testing.T, f *faultRun) { f.redis.do(t, "CONFIG", "SET", "maxmemory", "1") },
		end:   func(t *testing.T, f *faultRun) { f.redis.do(t, "CONFIG", "SET", "maxmemory", "0") },
	},
	{
		name:  "other commands only",
		begin: func(t *testing.T, f *faultRun) { f.redis.do(t, "ACL", "SETUSER", "default", "-evalsha") },
		end:   func(t *testing.T, f *faultRun) { f.redis.do(t, "ACL", "SETUSER", "default", "+evalsha") },
	},
	{name: "flushed", begin: func(t *testing.T, f *faultRun) { f.redis.do(t, "FLUSHALL") }},
	{name: "scripts flushed", unnotice: true, begin: func(t *testing.T, f *faultRun) { f.redis.do(t, "SCRIPT", "FLUSH") }},
	{name: "responder killed", unnotice: true, calm: true, begin: killResponder, end: runResponder},
	{
		name: "clock", unnotice: true, calm: true, decayed: guessesEach, start: startWithClock,
		begin: setClock(clockJump), end: setClock(-clockJump), // back by twice as much, when nothing decays
	},
	{name: "failed over", start: startSentinels, begin: killMaster},
	{name: "partitioned", start: startHosts, begin: cutOff, end: joinAgain},
}

// faultRun is one fault under logins.
type faultRun struct {
	redisFault
	redis    *redisServer
	machines machines
	logins   *steadyLogins
	made     int          // guesses
	clock    string       // the file that shifts the clock of Redis
	replica  *redisServer // that takes the place of redis
	hosts    *hosts
}

// TestRedisFaults takes Redis away in several ways, under good logins that go on. No login is answered wrongly or waits
// for Redis twice, and when Redis is back, all guesses count that were made before and meanwhile on any machine.
func TestRedisFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range redisFaults {
		t.Run(strings.ReplaceAll(fault.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			f := &faultRun{redisFault: fault}
			f.play(t)
		})
	}
}

func (f *faultRun) play(t *testing.T) {
	routing := faultTOML + aliceTOML + userTOML(victim.user, "{PLAIN}"+victim.password) +
		userTOML(neighbour.user, "{PLAIN}"+neighbour.password)
	if f.start != nil {
		f.start(t, f, routing)
	} else {
		f.redis = startRedis(t, f.redisFault.redis...)
		f.machines = startMachines(t, 2, redisTOML(t, "", f.redis.address())+routing)
	}
	f.logins = startLogins(f.machines)
	defer f.logins.stop(t)
	f.machines[0].check(t, home, victim, true) // from now on a known network
	f.guess(t, guessesEach)
	f.logins.more(t, outageLogins)

	before := f.setAside(t)
	var guesser sync.WaitGroup
	if !f.calm {
		guesser.Go(func() { f.guess(t, guessesAtFault) })
	}
	f.begin(t, f)
	guesser.Wait()
	f.meanwhile(t, before)
	if f.end != nil {
		f.end(t, f)
	}
	f.machines.waitUp(t)
	if n := f.setAside(t) - before; f.unnotice != (n == 0) {
		t.Errorf("Redis was set aside %.0f times", n)
	}
	f.logins.more(t, outageLogins)
	f.logins.stop(t)
	f.checkCounts(t)
}

// meanwhile guesses while the fault lasts, and once the machines have noticed.
func (f *faultRun) meanwhile(t *testing.T, before float64) {
	t.Helper()
	f.guess(t, guessesDuring/2)
	noticed := func() bool { return f.unnotice || f.setAside(t) > before }
	if !poll(upTimeout, nil, noticed) {
		t.Error("no machine has set Redis aside")
	}
	f.guess(t, guessesDuring/2)
	for i := range faultUserLimit {
		f.machines[0].check(t, guessAddress(1<<13+i), account{neighbour.user, fmt.Sprint(mark, "-guess-", i)}, false)
	}
	f.machines[0].check(t, "203.0.113.1", neighbour, false) // the machine has a limit of its own
	n := outageLogins
	if *guessing {
		n = moreLogins
	}
	f.logins.more(t, n)
}

// setAside returns how often all machines that run have set Redis aside.
func (f *faultRun) setAside(t *testing.T) (n float64) {
	t.Helper()
	for _, m := range f.machines {
		if m.runs() {
			n += m.setAside(t)
		}
	}
	return n
}

// guess makes n guesses on each machine that runs, each from another network.
func (f *faultRun) guess(t *testing.T, n int) {
	t.Helper()
	for range n {
		for _, m := range f.machines {
			if !m.runs() {
				continue
			}
			f.made++
			m.check(t, guessAddress(f.made), account{victim.user, fmt.Sprint(mark, "-guess-", f.made)}, false)
		}
	}
}

// checkCounts checks that no guess is forgotten or counted twice: as many more are allowed as the limit has room for. Then
// the victim can only log in from home, on each machine.
func (f *faultRun) checkCounts(t *testing.T) {
	t.Helper()
	left, before := faultUserLimit-f.made+f.decayed, f.machines.mismatches(t)
	f.guess(t, faultUserLimit/len(f.machines))
	if allowed := f.machines.mismatches(t) - before; allowed != left {
		t.Errorf("%d more guesses were allowed, want %d", allowed, left)
	}
	for i, m := range f.machines {
		m.check(t, home, victim, true)
		m.check(t, guessAddress(1<<12+i), victim, false)
	}
}

// startWithSnapshot starts a Redis that saves its state once, before the guesses.
func startWithSnapshot(t *testing.T, f *faultRun, routing string) {
	t.Helper()
	f.redis = startRedis(t)
	f.machines = startMachines(t, 2, redisTOML(t, "", f.redis.address())+routing)
	f.redis.do(t, "SAVE")
}

func killRedis(t *testing.T, f *faultRun) { f.redis.kill() }
func runRedis(t *testing.T, f *faultRun)  { f.redis.run(t) }

// killResponder kills a machine in the middle of logins.
func killResponder(t *testing.T, f *faultRun) {
	f.logins.mayFail(f.machines[1], true)
	f.machines[1].kill()
}

func runResponder(t *testing.T, f *faultRun) {
	f.machines[1].run(t)
	f.logins.mayFail(f.machines[1], false)
}

// slowest is the longest time that a login may take: that of Redis, and as much again.
const slowest = 2 * redisTimeout
