package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	loginsEach = 2                    // users who log in at once on each machine
	loginPause = 2 * time.Millisecond // between two logins of a user
)

// steadyLogins are logins that go on while something happens. Each user logs in from a known network, now and then from
// a new one, and now and then with an old password, always the same.
type steadyLogins struct {
	machines machines
	over     chan struct{}
	users    sync.WaitGroup
	done     atomic.Int64
	stopped  sync.Once

	mu      sync.Mutex
	down    map[*machine]bool // whose logins may fail
	wrong   []string          // answers
	slowest time.Duration
}

func startLogins(ms machines) *steadyLogins {
	s := &steadyLogins{machines: ms, over: make(chan struct{}), down: make(map[*machine]bool)}
	for i, m := range ms {
		for j := range loginsEach {
			s.users.Go(func() { s.logIn(m, i*loginsEach+j) })
		}
	}
	return s
}

func (s *steadyLogins) logIn(m *machine, user int) {
	for i := 0; ; i++ {
		select {
		case <-s.over:
			return
		case <-time.After(loginPause):
		}
		a, address, want := alice, fmt.Sprintf("192.0.2.%d", 100+user), true
		switch i % 8 {
		case 3:
			address = fmt.Sprintf("198.51.%d.%d", 100+user, i/8%256)
		case 6:
			a.password, want = mark+"-old", false
		}
		mayFail := s.failing(m)
		granted, took, err := m.login(address, a)
		if err != nil && (mayFail || s.failing(m)) {
			continue
		}
		s.record(took, err, fmt.Sprintf("login %d of user %d from %s: granted %v", i, user, address, granted), granted == want)
	}
}

func (s *steadyLogins) record(took time.Duration, err error, what string, right bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowest = max(s.slowest, took)
	switch {
	case err != nil:
		s.wrong = append(s.wrong, what+": "+err.Error())
	case !right:
		s.wrong = append(s.wrong, what)
	}
	s.done.Add(1)
}

// mayFail allows the logins on a machine to fail, or forbids it again.
func (s *steadyLogins) mayFail(m *machine, may bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[m] = may
}

func (s *steadyLogins) failing(m *machine) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down[m]
}

// more returns after n more logins.
func (s *steadyLogins) more(t *testing.T, n int) {
	t.Helper()
	until := s.done.Load() + int64(n)
	if !poll(time.Minute, nil, func() bool { return s.done.Load() >= until }) {
		t.Errorf("only %d of %d logins within a minute", s.done.Load()-until+int64(n), n)
	}
}

// stop ends the logins, and checks their answers and times. It may be called twice.
func (s *steadyLogins) stop(t *testing.T) {
	t.Helper()
	s.stopped.Do(func() {
		close(s.over)
		s.users.Wait()
		for i, text := range s.wrong {
			if i < 5 {
				t.Errorf("wrong: %s", text)
			}
		}
		if n := len(s.wrong); n > 0 {
			t.Errorf("%d of %d answers were wrong", n, s.done.Load())
		}
		if s.slowest > slowest {
			t.Errorf("a login took %v, more than %v", s.slowest, slowest)
		}
		t.Logf("%d logins, the slowest took %v", s.done.Load(), s.slowest)
	})
}
