package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/throttle"
)

// A crowd of guesses does not hold up who logs in from a network that is known or trusted, for longer than
// one hash takes; and it is bounded, even if nobody's count is over its limit yet.
func TestStrangersGoLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const home, webmail, took = "198.51.100.1", "127.0.0.1", 5 * time.Second
		a := withThrottle(t, newAuth(t), func(c *throttle.Config) {
			c.UserLimit = 0
			c.TrustedNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		})
		wants(t, a, from(home, alice, right), authhttp.OK, "", "")
		a.CountHash = func() { time.Sleep(took) }
		others := *a // wants traces
		var judged, unjudged int
		var mu sync.Mutex
		var strangers sync.WaitGroup
		for i := range MaxStrangers {
			strangers.Go(func() {
				_, event := others.Answer(t.Context(), from(fmt.Sprintf("192.0.2.%d", i), alice, fmt.Sprint(wrong, i)))
				mu.Lock()
				defer mu.Unlock()
				switch event.Reason {
				case authlog.PasswordMismatch:
					judged++
				case authlog.InternalFailure:
					unjudged++
				}
			})
		}
		synctest.Wait()
		begin := time.Now()
		wants(t, a, from("203.0.113.1", alice, right), authhttp.TempFail, authlog.InternalFailure, "")
		if waited := time.Since(begin); waited > 0 {
			t.Errorf("one too many waited %v", waited)
		}
		for _, ip := range []string{home, webmail} {
			begin := time.Now()
			wants(t, a, from(ip, alice, right), authhttp.OK, "", "")
			if waited := time.Since(begin); waited > 2*took {
				t.Errorf("a login from %s took %v, a hash takes %v", ip, waited, took)
			}
		}
		strangers.Wait()
		if judged == 0 || judged+unjudged != MaxStrangers {
			t.Errorf("of %d strangers %d were judged and %d were not", MaxStrangers, judged, unjudged)
		}
		if n := len(a.Hashing) + a.Strangers.all + len(a.Strangers.from) + len(a.Strangers.turns); n != 0 {
			t.Errorf("%d places are taken after all logins", n)
		}
		wants(t, a, from("203.0.113.1", alice, right), authhttp.OK, "", "")
	})
}

// Whoever gives up waiting leaves no place taken, at each stage of the line.
func TestStrangersLeaveTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		occupy(a.Hashing)
		others := *a // wants traces
		var strangers sync.WaitGroup
		for i := range 2 * cap(a.Hashing) {
			strangers.Go(func() {
				_, event := others.Answer(t.Context(), from(fmt.Sprintf("192.0.2.%d", i), alice, right))
				if event.Reason != authlog.InternalFailure {
					t.Errorf("stranger %d: %s", i, event.Reason)
				}
			})
		}
		begin := time.Now()
		strangers.Wait()
		if waited := time.Since(begin); waited != MaxHashWait {
			t.Errorf("they waited %v", waited)
		}
		if n := a.Strangers.all + len(a.Strangers.from) + len(a.Strangers.turns); n != 0 {
			t.Errorf("%d places are taken after all logins", n)
		}
	})
}

// One network takes a part of the places only: with old passwords, which the throttle does not count, and with the
// same login many times, which is decided once.
func TestStrangersOfOneNetwork(t *testing.T) {
	for name, prepare := range map[string]func(a *Authenticator) (*Authenticator, string){
		"many users": func(a *Authenticator) (*Authenticator, string) { return a, "u%d@users.example" },
		"one login":  func(a *Authenticator) (*Authenticator, string) { return withCache(a), "u@users.example" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, users := prepare(newAuth(t))
				a = withThrottle(t, a, nil)
				a.CountHash = func() { time.Sleep(time.Second) }
				others := *a // wants traces
				count := make(chan authlog.Reason, 100)
				for i := range cap(count) {
					go func() {
						_, event := others.Answer(t.Context(), from("192.0.2.1", strings.ReplaceAll(users, "%d", fmt.Sprint(i)), wrong))
						count <- event.Reason
					}()
				}
				synctest.Wait()
				if n := len(count); n != cap(count)-MaxFromNetwork {
					t.Errorf("%d of %d logins from one network do not wait", n, cap(count))
				}
				wants(t, a, from("192.0.2.2", alice, right), authhttp.OK, "", "")
				for range cap(count) {
					<-count
				}
			})
		})
	}
}

// Logins that wait for mail servers are bounded, whichever they wait for.
func TestAskingIsBounded(t *testing.T) {
	const user = "alice@lost-upstream.example"
	a := newAuth(t)
	a.Asking = NewSlots(MaxAsking)
	occupy(a.Asking)
	if _, event := answer(t, a, ask{user: user, pass: right}.header()); event.Error != errAsking.Error() {
		t.Errorf("with all places taken: %s", event.Error)
	}
	wants(t, a, ask{user: alice, pass: right}.header(), authhttp.OK, "", "")
	<-a.Asking
	for range 2 {
		if _, event := answer(t, a, ask{user: user, pass: right}.header()); event.Error == errAsking.Error() {
			t.Error("with a place left it is not asked")
		}
	}
}
