package auth

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/throttle"
)

const alice = "alice@users.example"

func withThrottle(t *testing.T, a *Authenticator, edit func(c *throttle.Config)) *Authenticator {
	t.Helper()
	c := throttle.Defaults()
	c.PairLimit, c.UserLimit, c.NetworkLimit = 3, 6, 9
	if edit != nil {
		edit(&c)
	}
	a.Now = time.Now
	var err error
	if a.throttle, err = throttle.New(c, a.Now()); err != nil {
		t.Fatal(err)
	}
	return a
}

// from is a login by a client's address.
func from(ip, user, pass string) http.Header {
	h := ask{user: user, pass: pass}.header()
	h["Client-Ip"] = []string{ip}
	return h
}

func wants(t *testing.T, a *Authenticator, h http.Header, outcome authhttp.Outcome, reason authlog.Reason, counter string) authhttp.Response {
	t.Helper()
	response, event := answer(t, a, h)
	if response.Outcome != outcome || event.Reason != reason || event.Throttle != counter {
		t.Errorf("%s from %s: %v %s, throttle %q (%s); want %v %s, %q", event.User, event.ClientIP,
			response.Outcome, event.Reason, event.Throttle, event.Error, outcome, reason, counter)
	}
	return response
}

// guess tries as many wrong passwords.
func guess(t *testing.T, a *Authenticator, ip, user string, n int, reason authlog.Reason) {
	t.Helper()
	for i := range n {
		wants(t, a, from(ip, user, fmt.Sprint(ip, user, i)), authhttp.Reject, reason, "")
	}
}

func TestThrottlePair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		guess(t, a, "192.0.2.1", alice, 3, authlog.PasswordMismatch)
		free := occupy(t, a.hashing) // what is throttled needs no hash
		wants(t, a, from("192.0.2.1", "ALICE@users.example", right), authhttp.Reject, authlog.Policy, "pair")
		free()
		wants(t, a, from("192.0.2.2", alice, right), authhttp.OK, "", "")
		time.Sleep(4 * throttle.DefaultHalfLife)
		wants(t, a, from("192.0.2.1", alice, right), authhttp.OK, "", "")
	})
}

// Guesses that have come at once are counted one after the other, whether the user exists or not.
func TestThrottleCountsWhoWaited(t *testing.T) {
	for user, reason := range map[string]authlog.Reason{alice: authlog.PasswordMismatch, "bob@users.example": authlog.UserUnknown} {
		for name, cached := range map[string]func(*Authenticator) *Authenticator{
			"cached": withCache, "not cached": func(a *Authenticator) *Authenticator { return a },
		} {
			t.Run(string(reason)+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := withThrottle(t, cached(newAuth(t)), nil)
					a.hashing = a.hashes.NewLimiter(limit.Config{Slots: 1, Waiting: MaxHashing})
					a.CountHash = func() { time.Sleep(time.Second) }
					events := make(chan authlog.Event)
					for i := range 10 {
						go func() {
							_, e := a.Answer(t.Context(), from("192.0.2.1", user, fmt.Sprint(wrong, i)))
							events <- e
						}()
					}
					count := make(map[string]int)
					for range 10 {
						e := <-events
						count[string(e.Reason)+e.Throttle]++
					}
					proved := count[string(reason)] // the next one may get its slot just before a failure is counted
					if proved < 3 || proved > 5 || proved+count["policypair"] != 10 {
						t.Errorf("%v", count)
					}
				})
			})
		}
	}
}

// A user who logged in from a network before can do so while others guess.
func TestThrottleUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		wants(t, a, from("198.51.100.1", alice, right), authhttp.OK, "", "")
		for i := range 3 {
			guess(t, a, fmt.Sprintf("192.0.2.%d", i), alice, 2, authlog.PasswordMismatch)
		}
		wants(t, a, from("192.0.2.9", alice, right), authhttp.Reject, authlog.Policy, "user")
		wants(t, a, from("198.51.100.1", alice, right), authhttp.OK, "", "")
	})
}

// Names that do not exist count for the network, with or without a domain of ours.
func TestThrottleNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		for i := range 3 {
			guess(t, a, "192.0.2.1", fmt.Sprintf("u%d@users.example", i), 1, authlog.UserUnknown)
			guess(t, a, "192.0.2.1", fmt.Sprintf("u%d@other.example", i), 1, authlog.UserUnknown)
			guess(t, a, "192.0.2.1", fmt.Sprintf("u%d", i), 1, authlog.UserUnknown)
		}
		wants(t, a, from("192.0.2.1", "u@other.example", right), authhttp.Reject, authlog.Policy, "network")
		wants(t, a, from("192.0.2.1", alice, right), authhttp.Reject, authlog.Policy, "network")
		wants(t, a, from("192.0.2.2", alice, right), authhttp.OK, "", "")
	})
}

// A flood of names that nobody can have evicts no counter, and what the throttle refuses counts nowhere.
func TestThrottleWithstandsNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), func(c *throttle.Config) { c.MaxEntries, c.NetworkLimit = 4*unlistedKeys, 0 })
		guess(t, a, "192.0.2.1", alice, 3, authlog.PasswordMismatch)
		for i := range 10 * unlistedKeys {
			answer(t, a, from("192.0.2.2", fmt.Sprintf("u%d@other.example", i), wrong))
			answer(t, a, from("192.0.2.2", fmt.Sprintf("u%d", i), wrong))
		}
		wants(t, a, from("192.0.2.1", alice, right), authhttp.Reject, authlog.Policy, "pair")
		for i := range 1000 {
			wants(t, a, from("192.0.2.1", alice, fmt.Sprint(wrong, i)), authhttp.Reject, authlog.Policy, "pair")
		}
		time.Sleep(throttle.DefaultHalfLife)
		guess(t, a, "192.0.2.1", alice, 1, authlog.PasswordMismatch)
	})
}

// The penalty does not tell a right password of a closed account from a wrong one.
func TestThrottleCountsClosedAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newSite(t), nil)
		for i, pass := range []string{right, wrong, wrong + "2"} {
			reason := authlog.PasswordMismatch
			if i == 0 {
				reason = authlog.UserDisabled
			}
			wants(t, a, from("192.0.2.1", "closed@users.example", pass), authhttp.Reject, reason, "")
		}
		wants(t, a, from("192.0.2.1", "closed@users.example", right), authhttp.Reject, authlog.Policy, "pair")
	})
}

// A mail program that repeats an old password does not lock its owner out.
func TestThrottleCountsDistinctPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, withCache(newAuth(t)), nil)
		for range 50 {
			wants(t, a, from("192.0.2.1", alice, wrong), authhttp.Reject, authlog.PasswordMismatch, "")
		}
		wants(t, a, from("192.0.2.1", alice, right), authhttp.OK, "", "")
	})
}

func TestThrottleLogOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), func(c *throttle.Config) { c.LogOnly = true })
		guess(t, a, "192.0.2.1", alice, 3, authlog.PasswordMismatch)
		wants(t, a, from("192.0.2.1", alice, right), authhttp.OK, "", "pair")
	})
}

func TestAuthWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		a.Methods = append(a.Methods, "none")
		a.AuthWait = true
		failure := func(i int, method, attempt string) http.Header {
			h := ask{method: method, user: alice, pass: fmt.Sprintf("%032d", i), salt: "<1@h>"}.header()
			h["Auth-Login-Attempt"] = []string{attempt}
			return h
		}
		var waits []time.Duration
		for i := range 5 {
			response, _ := answer(t, a, failure(i, "plain", "1"))
			waits = append(waits, response.Wait)
		}
		if waits[1] < time.Second || waits[2] <= waits[1] || waits[4] != throttle.DefaultMaxPenalty {
			t.Errorf("waits %v", waits)
		}
		for _, tt := range []struct{ method, attempt string }{
			{"plain", "10"}, {"plain", "11"}, {"plain", "0"}, {"plain", "x"}, {"plain", "-1"},
			{"cram-md5", "1"}, {"apop", "1"}, {"none", "1"}, {"external", "1"}, {"xoauth2", "1"},
		} {
			if response, _ := answer(t, a, failure(9, tt.method, tt.attempt)); response.Wait != 0 {
				t.Errorf("%s, attempt %s: wait %v", tt.method, tt.attempt, response.Wait)
			}
		}
		if response, _ := answer(t, a, failure(9, "plain", "9")); response.Wait != throttle.DefaultMaxPenalty {
			t.Errorf("attempt 9: wait %v", response.Wait)
		}
		a.AuthWait = false
		if response, _ := answer(t, a, failure(9, "plain", "1")); response.Wait != 0 {
			t.Errorf("off: wait %v", response.Wait)
		}
	})
}

// Nobody knows whether a temporary failure was a guess, and a good login does not wait.
func TestOnlyRefusalsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		a.AuthWait = true
		guess(t, a, "192.0.2.1", alice, 2, authlog.PasswordMismatch)
		for user, outcome := range map[string]authhttp.Outcome{alice: authhttp.OK, "alice@lost.example": authhttp.TempFail} {
			h := from("192.0.2.1", user, right)
			h["Auth-Login-Attempt"] = []string{"1"}
			if response, _ := answer(t, a, h); response.Outcome != outcome || response.Wait != 0 {
				t.Errorf("%s: %v, wait %v", user, response.Outcome, response.Wait)
			}
		}
	})
}

// A certificate is no guess: without one that is good there is nothing to guess at.
func TestThrottleDoesNotCountCertificates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newSite(t), nil)
		a.Methods = []string{"plain", "external"}
		show := func(subject string) http.Header {
			h := ask{method: "external", user: alice}.header()
			h.Del("Auth-Pass")
			h["Client-Ip"], h["Auth-Ssl-Verify"] = []string{"192.0.2.1"}, []string{"SUCCESS"}
			h["Auth-Ssl-Subject"] = []string{subject}
			return h
		}
		for range 10 {
			wants(t, a, show("CN=other"), authhttp.Reject, authlog.PasswordMismatch, "")
		}
		guess(t, a, "192.0.2.1", alice, 2, authlog.PasswordMismatch)
		wants(t, a, show("emailAddress="+alice), authhttp.OK, "", "")
		wants(t, a, from("192.0.2.1", alice, wrong), authhttp.Reject, authlog.PasswordMismatch, "")
		wants(t, a, from("192.0.2.1", alice, right), authhttp.Reject, authlog.Policy, "pair")
	})
}

// Guesses at a master's password count for the master, whoever's account they name.
func TestThrottleCountsMasters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const master = "*admin@users.example"
		a := withThrottle(t, newSite(t), nil)
		for _, user := range []string{alice, "slow@users.example", "dest@users.example"} {
			guess(t, a, "192.0.2.1", user+master, 1, authlog.PasswordMismatch)
		}
		wants(t, a, from("192.0.2.1", "apps@users.example"+master, "admin-"+marker), authhttp.Reject, authlog.Policy, "pair")
		guess(t, a, "192.0.2.1", alice, 3, authlog.PasswordMismatch)
	})
}

// An administrator names a user by any of the user's names, or says an address.
func TestForgive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newSite(t), nil)
		a.DefaultDomain = "users.example"
		for i, of := range []string{alice, "Alice@USERS.example", "info@users.example", "alice", "192.0.2.1", "::ffff:192.0.2.1"} {
			for j := range 3 {
				wants(t, a, from("192.0.2.1", alice, fmt.Sprint(marker, i, j)), authhttp.Reject, authlog.PasswordMismatch, "")
			}
			wants(t, a, from("192.0.2.1", alice, right), authhttp.Reject, authlog.Policy, "pair")
			if n, err := a.Forgive(t.Context(), of); n != 2 || err != nil {
				t.Errorf("%s: %d counters, %v", of, n, err)
			}
			if strings.Contains(of, ".2.1") { // what the user counts stays
				_, _ = a.Forgive(t.Context(), alice)
			}
		}
		wants(t, a, from("192.0.2.1", alice, right), authhttp.OK, "", "")
		if _, err := a.Forgive(t.Context(), "a b@\n"); err == nil {
			t.Error("a name that is none passed")
		}
	})
}

// A network is named as "throttle show" prints it.
func TestForgiveNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newSite(t), nil)
		guess(t, a, "2001:db8::1", alice, 3, authlog.PasswordMismatch)
		wants(t, a, from("2001:db8::2", alice, marker), authhttp.Reject, authlog.Policy, "pair")
		if held, err := a.HeldBy(t.Context(), "2001:db8::/64"); len(held) != 2 || err != nil {
			t.Errorf("held %v, %v", held, err)
		}
		for _, network := range []string{"2001:db8::/63", "192.0.2.0/24"} {
			if _, err := a.HeldBy(t.Context(), network); err == nil || !strings.Contains(err.Error(), "counted by networks of /") {
				t.Errorf("%s: held: %v", network, err)
			}
			if _, err := a.Forgive(t.Context(), network); err == nil {
				t.Errorf("%s was forgiven", network)
			}
		}
		if n, err := a.Forgive(t.Context(), "2001:db8::/64"); n != 2 || err != nil {
			t.Errorf("forgot %d counters, %v", n, err)
		}
	})
}

// Behind the PROXY protocol Client-IP is the load balancer's.
func TestClientAddressOfTheProxyProtocol(t *testing.T) {
	a := newAuth(t)
	h := from("192.0.2.1", alice, right)
	h["Proxy-Protocol-Addr"] = []string{"198.51.100.7"}
	for proxied, want := range map[bool]string{false: "192.0.2.1", true: "198.51.100.7"} {
		a.ProxyAddr = proxied
		if _, e := answer(t, a, h); e.ClientIP != want {
			t.Errorf("proxied %v: client %s, want %s", proxied, e.ClientIP, want)
		}
	}
}

// At a mail server, too, guesses that have come at once are counted as they get their slots.
func TestThrottleCountsWhoWaitedForAServer(t *testing.T) {
	const n = 20
	server := startScripted(t, "* OK hi", offered, "001 NO AUTHENTICATE failed")
	a := withThrottle(t, newUpstreamAuth(t, server.addr()), nil)
	a.servers["up"].slots = a.asking.NewLimiter(limit.Config{Slots: n / 2, Waiting: n})
	var asked atomic.Int32
	all := make(chan struct{})
	a.Trace = func(format string, _ ...any) {
		switch {
		case strings.HasPrefix(format, "checking") && asked.Add(1) == n/2: // all that have a slot
			close(all)
		case format == "%s": // the dialogue
			<-all
		}
	}
	reasons := make(chan authlog.Reason)
	for i := range n {
		go func() {
			_, e := a.Answer(t.Context(), from("192.0.2.1", "tim@up.example", fmt.Sprint(wrong, i)))
			reasons <- e.Reason
		}()
	}
	count := make(map[authlog.Reason]int)
	for range n {
		count[<-reasons]++
	}
	if proved := count[authlog.PasswordMismatch]; proved < n/2 || proved > n/2+5 || proved+count[authlog.Policy] != n {
		t.Errorf("%v", count)
	}
}
