package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// TestCutOffMachineForgets flushes the cache while another machine cannot hear of it. That machine forgets its answers when
// it is back, and only then.
func TestCutOffMachineForgets(t *testing.T) {
	t.Parallel()
	r := startRedis(t)
	ms := startMachines(t, 2, redisTOML(t, "", r.address())+"[throttle]\nshared = true\n[cache]\nsize = 100\n"+aliceTOML)
	remember := func(t *testing.T) {
		t.Helper()
		for _, m := range ms {
			m.check(t, home, alice, true)
		}
	}
	forgotten := func(t *testing.T) {
		t.Helper()
		for i, m := range ms {
			if !poll(upTimeout, m.done, func() bool { return m.remembered(t) == 0 }) {
				t.Errorf("machine %d remembers a login after the flush", i)
			}
		}
	}
	t.Run("connections lost without a flush", func(t *testing.T) {
		remember(t)
		r.dropListeners(t, len(ms))
		for i, m := range ms {
			if n := m.remembered(t); n != 1 {
				t.Errorf("machine %d remembers %d logins, want 1", i, n)
			}
		}
	})
	t.Run("machine stopped", func(t *testing.T) {
		remember(t)
		ms[1].suspend(t)
		r.do(t, "CLIENT", "KILL", "TYPE", "pubsub")
		ms[0].administer(t, "cache", "flush")
		ms[1].signal(t, syscall.SIGCONT)
		forgotten(t)
	})
	t.Run("Redis stopped", func(t *testing.T) {
		remember(t)
		r.suspend(t)
		ms[0].check(t, home, alice, true) // so that the machine notices
		if out := ms[0].administer(t, "cache", "flush"); !strings.Contains(out, "when Redis answers") {
			t.Errorf("cache flush printed %q", out)
		}
		if n := ms[1].remembered(t); n != 1 {
			t.Errorf("the other machine remembers %d logins, want 1", n)
		}
		r.resume(t)
		forgotten(t)
	})
}

// dropListeners ends the connections on which machines hear announcements, and returns when n have connected again.
func (r *redisServer) dropListeners(t *testing.T, n int) {
	t.Helper()
	r.do(t, "CLIENT", "KILL", "TYPE", "pubsub")
	if !poll(upTimeout, r.done, func() bool {
		return strings.Contains(r.do(t, "PUBSUB", "NUMSUB", "mailauthd:{1}:announce"), fmt.Sprint(n))
	}) {
		t.Fatal("the machines do not listen again")
	}
}
