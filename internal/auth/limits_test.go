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
	"mailauthd/internal/limit"
	"mailauthd/internal/throttle"
)

// Many guesses do not hold up logins from networks that are known or trusted, for longer than one hash takes;
// and there is a limit to them, even if nobody's count is over its own yet.
func TestUnknownNetworksGoLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = MaxHashing * 3 / 4 // of unknown networks
		const home, webmail, took = "198.51.100.1", "127.0.0.1", 250 * time.Millisecond
		a := withThrottle(t, newAuth(t), func(c *throttle.Config) {
			c.UserLimit = 0
			c.TrustedNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		})
		wants(t, a, from(home, alice, right), authhttp.OK, "", "")
		a.CountHash = func() { time.Sleep(took) }
		others := *a // wants traces
		reasons := make(chan authlog.Reason, most)
		for i := range most {
			go func() {
				_, event := others.Answer(t.Context(), from(fmt.Sprintf("192.0.2.%d", i), alice, fmt.Sprint(wrong, i)))
				reasons <- event.Reason
			}()
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
		count := make(map[authlog.Reason]int)
		for range most {
			count[<-reasons]++
		}
		if gone := count[authlog.InternalFailure]; gone > 2 || count[authlog.PasswordMismatch]+gone != most {
			t.Errorf("of %d guesses: %v", most, count)
		}
		wantIdle(t, a)
		wants(t, a, from("203.0.113.1", alice, right), authhttp.OK, "", "")
	})
}

// A login that gives up waiting leaves nothing behind.
func TestLoginsStopWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		slots := a.hashing.Config().Slots
		free := occupy(t, a.hashing)
		others := *a // wants traces
		var waiting sync.WaitGroup
		for i := range 2 * slots {
			waiting.Go(func() {
				_, event := others.Answer(t.Context(), from(fmt.Sprintf("192.0.2.%d", i), alice, right))
				if event.Reason != authlog.InternalFailure {
					t.Errorf("login %d: %s", i, event.Reason)
				}
			})
		}
		begin := time.Now()
		waiting.Wait()
		if waited := time.Since(begin); waited != MaxHashWait {
			t.Errorf("they waited %v", waited)
		}
		for range slots {
			free()
		}
		wantIdle(t, a)
	})
}

// Whatever one network sends, others get in: many users, with old passwords that the throttle does not count, and
// the same login many times, which is proved once.
func TestOneNetworkGivesWay(t *testing.T) {
	for name, prepare := range map[string]func(a *Authenticator) (*Authenticator, string){
		"many users": func(a *Authenticator) (*Authenticator, string) { return a, "u%d@users.example" },
		"one login":  func(a *Authenticator) (*Authenticator, string) { return withCache(a), "u@users.example" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, users := prepare(newAuth(t))
				a = withThrottle(t, a, func(c *throttle.Config) { c.NetworkLimit = 0 })
				a.CountHash = func() { time.Sleep(time.Second) }
				others := *a // wants traces
				reasons := make(chan authlog.Reason, 100)
				for i := range cap(reasons) {
					go func() {
						_, event := others.Answer(t.Context(), from("192.0.2.1", strings.ReplaceAll(users, "%d", fmt.Sprint(i)), wrong))
						reasons <- event.Reason
					}()
				}
				synctest.Wait()
				if n := len(reasons); n != cap(reasons)-MaxHashing/2 {
					t.Errorf("%d of %d logins from one network do not wait", n, cap(reasons))
				}
				begin := time.Now()
				for i := range 10 {
					wants(t, a, from(fmt.Sprintf("203.0.113.%d", i), alice, right), authhttp.OK, "", "")
				}
				if took := time.Since(begin) / 10; took > 3*time.Second {
					t.Errorf("logins from other networks took %v, a hash takes 1s", took)
				}
				for range cap(reasons) {
					<-reasons
				}
				wantIdle(t, a)
			})
		})
	}
}

// Logins that wait for mail servers are bounded, whichever they wait for.
func TestAskingIsBounded(t *testing.T) {
	const user = "alice@lost-upstream.example"
	a := newAuth(t)
	slots := a.asking.NewLimiter(limit.Config{Slots: MaxAsking})
	free := occupy(t, slots)
	full := `no slot to ask server "lost", max_connections = 100: ` + limit.ErrFull.Error()
	if _, event := answer(t, a, ask{user: user, pass: right}.header()); event.Error != full {
		t.Errorf("with all slots taken: %s", event.Error)
	}
	wants(t, a, ask{user: alice, pass: right}.header(), authhttp.OK, "", "")
	free()
	for range 2 {
		if _, event := answer(t, a, ask{user: user, pass: right}.header()); event.Error == full {
			t.Error("with a slot left the server is not asked")
		}
	}
}

// What cannot be looked up is a temporary failure, for every kind of login.
func TestDirectoryFails(t *testing.T) {
	a := newSite(t)
	a.Directory = brokenDirectory{}
	for _, in := range []ask{
		{user: alice, pass: right}, {user: "x@up.example", pass: right}, {method: "cram-md5", user: alice, pass: cram(right), salt: salt},
		{user: alice + "*admin@users.example", pass: right},
	} {
		want := "out of order"
		if strings.Contains(in.user, "*") {
			want = "master user"
		}
		if e := answers(t, a, in, authhttp.TempFail, authlog.InternalFailure, ""); !strings.Contains(e.Error, want) {
			t.Errorf("%s: %s", in.user, e.Error)
		}
	}
	h := ask{method: "none", protocol: "smtp"}.header()
	h.Set("Auth-Smtp-To", "RCPT TO:<alice@users.example>")
	wants(t, a, h, authhttp.TempFail, authlog.InternalFailure, "")
	h = ask{method: "external"}.header()
	h.Set("Auth-Ssl-Verify", "SUCCESS")
	h.Set("Auth-Ssl-Subject", "emailAddress="+alice)
	wants(t, a, h, authhttp.TempFail, authlog.InternalFailure, "")
	if _, err := withThrottle(t, a, nil).Forgive(t.Context(), alice); err == nil {
		t.Error("a user that cannot be found is forgiven")
	}
}
