package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/throttle"
	"mailauthd/internal/users"
)

// Names of domains that are not listed share counters, and the same password for each of them counts for each.
func TestThrottleCountsUnlistedNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), func(c *throttle.Config) { c.PairLimit, c.UserLimit, c.NetworkLimit = 0, 0, 2*unlistedKeys })
		for i := range 3 * unlistedKeys {
			answer(t, a, from("192.0.2.1", fmt.Sprintf("u%d@other.example", i), wrong))
		}
		wants(t, a, from("192.0.2.1", alice, right), authhttp.Reject, authlog.Policy, "network")
	})
}

// While a login waits for its slot others may fail. The penalty that it then gets tells a right password of a
// closed account from a wrong one as little as at any other time.
func TestPenaltyAfterWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), func(c *throttle.Config) { c.PairLimit, c.UserLimit = 0, 0 })
		a.AuthWait = true
		entry(t, a, alice).Extra = &users.Settings{Access: access.Rules{NoLogin: new(true)}}
		others := *a // wants traces
		free := occupy(t, a.hashing)
		waits := make(chan time.Duration, 2)
		for _, pass := range []string{right, wrong} {
			go func() {
				r, _ := others.Answer(t.Context(), from("192.0.2.1", alice, pass))
				waits <- r.Wait
			}()
		}
		synctest.Wait()
		for i := range 5 {
			a.throttle.Fail(t.Context(), netip.MustParseAddr("192.0.2.1"), "bob@users.example", fmt.Sprint(wrong, i), a.Now())
		}
		want := a.throttle.Allow(t.Context(), netip.MustParseAddr("192.0.2.1"), alice, a.Now()).Penalty
		for range 2 {
			free()
			if wait := <-waits; wait < want {
				t.Errorf("a refusal waits %v, want %v or more", wait, want)
			}
		}
	})
}

// Where a login may have to wait it counts for the network that the throttle knows; without a throttle no network
// is an unknown one.
func TestLimitClient(t *testing.T) {
	l := &login{Request: authhttp.Request{ClientIP: "2001:db8:1:2:3::4"}}
	network := netip.MustParsePrefix("2001:db8:1:2::/64")
	a := newAuth(t)
	if got, want := a.limitClient(l, a.askThrottle(t.Context(), l)), (limit.Client{Network: network, Known: true}); got != want {
		t.Errorf("without a throttle %+v, want %+v", got, want)
	}
	a = withThrottle(t, a, nil)
	if got, want := a.limitClient(l, a.askThrottle(t.Context(), l)), (limit.Client{Network: network}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	a = withThrottle(t, a, func(c *throttle.Config) { c.TrustedNetworks = []netip.Prefix{network} })
	if got, want := a.limitClient(l, a.askThrottle(t.Context(), l)), (limit.Client{Known: true, Trusted: true}); got != want {
		t.Errorf("trusted %+v, want %+v", got, want)
	}
}

// A login that the throttle rejects when it gets its slot says nothing of its password, and is not remembered.
func TestThrottledIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withCache(withThrottle(t, newAuth(t), nil))
		free := occupy(t, a.hashing)
		others := *a // wants traces
		reasons := make(chan authlog.Reason)
		go func() {
			_, event := others.Answer(t.Context(), from("192.0.2.1", alice, right))
			reasons <- event.Reason
		}()
		synctest.Wait()
		for i := range 9 {
			a.throttle.Fail(t.Context(), netip.MustParseAddr("192.0.2.1"), fmt.Sprint("user", i), wrong, a.Now())
		}
		free()
		if reason := <-reasons; reason != authlog.Policy {
			t.Error(reason)
		}
		if good, bad := a.CacheLen(); good != 0 || bad != 0 {
			t.Errorf("%d right and %d refused passwords are remembered", good, bad)
		}
	})
}
