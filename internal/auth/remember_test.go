package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/upstream"
	"mailauthd/internal/users"
)

// answers asks once and compares what matters here.
func answers(t *testing.T, a *Authenticator, in ask, outcome authhttp.Outcome, reason authlog.Reason, cached string) authlog.Event {
	t.Helper()
	response, event := answer(t, a, in.header())
	if response.Outcome != outcome || event.Reason != reason || event.Cache != cached {
		t.Errorf("%s %s: %v %q, cache %q (%s); want %v %q, cache %q", in.protocol, in.user,
			response.Outcome, event.Reason, event.Cache, event.Error, outcome, reason, cached)
	}
	return event
}

func withCache(a *Authenticator) *Authenticator {
	a.cache = cache.New(cache.Config{Size: 100, TTL: time.Hour, NegativeTTL: time.Minute, StaleTTL: time.Hour})
	return a
}

// What is remembered needs no hash: it is answered while all slots are taken.
func TestCacheNeedsNoHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withCache(newAuth(t))
		a.Now = time.Now
		good := ask{user: "alice@users.example", pass: right}
		bad := ask{user: "Alice@users.example", pass: wrong}
		unknown := ask{user: "nobody@users.example", pass: wrong}
		answers(t, a, bad, authhttp.Reject, authlog.PasswordMismatch, "")
		answers(t, a, unknown, authhttp.Reject, authlog.UserUnknown, "")
		free := occupy(t, a.hashing)
		start := time.Now()
		answers(t, a, bad, authhttp.Reject, authlog.PasswordMismatch, "hit")
		answers(t, a, unknown, authhttp.Reject, authlog.UserUnknown, "hit")
		if waited := time.Since(start); waited > 0 {
			t.Errorf("waited %v", waited)
		}
		free()
		time.Sleep(time.Second)
		answers(t, a, good, authhttp.OK, "", "")
		answers(t, a, good, authhttp.OK, "", "hit")
		answers(t, a, bad, authhttp.Reject, authlog.PasswordMismatch, "hit") // that alice has logged in since does not show
		time.Sleep(time.Hour)
		answers(t, a, good, authhttp.OK, "", "")
	})
}

func TestCacheKeepsToTheRules(t *testing.T) {
	a := withCache(newAuth(t))
	good := ask{user: "alice@users.example", pass: right}
	answers(t, a, good, authhttp.OK, "", "")
	answers(t, a, ask{user: good.user, pass: right, protocol: "smtp"}, authhttp.OK, "", "")
	u := entry(t, a, good.user)
	u.Passwords[0].Protocols = []string{"smtp"}
	answers(t, a, good, authhttp.Reject, authlog.Policy, "")
	answers(t, a, ask{user: good.user, pass: right, protocol: "smtp"}, authhttp.OK, "", "")
	answers(t, a, ask{user: good.user, pass: right, protocol: "smtp"}, authhttp.OK, "", "hit")
	closed := true
	u.Extra = &users.Settings{Access: access.Rules{NoLogin: &closed}}
	answers(t, a, ask{user: good.user, pass: right, protocol: "smtp"}, authhttp.Reject, authlog.UserDisabled, "")
}

// A user with another hash is another user to the cache, as after a reload.
func TestCacheForgetsOtherHashes(t *testing.T) {
	a := withCache(newAuth(t))
	good := ask{user: "alice@users.example", pass: right}
	answers(t, a, good, authhttp.OK, "", "")
	a.Directory = userMap(t, good.user) // loaded again: the same hash
	answers(t, a, good, authhttp.OK, "", "hit")
	entry(t, a, good.user).Passwords[0].Hash = hashOf(t, "{PLAIN}another")
	answers(t, a, good, authhttp.Reject, authlog.PasswordMismatch, "")
}

// What a server has said counts as long as it is asked in the same way.
func TestCacheForgetsOtherWaysToAsk(t *testing.T) {
	for name, change := range map[string]func(*route.Server){
		"host":            func(s *route.Server) { s.Host = "127.0.0.2" },
		"protocol":        func(s *route.Server) { s.VerifyProtocol = "smtp" },
		"port":            func(s *route.Server) { s.VerifyIMAP = 1143 },
		"TLS":             func(s *route.Server) { s.TLS.Mode = upstream.StartTLS },
		"server_name":     func(s *route.Server) { s.TLS.ServerName = "mail.up.example" },
		"fingerprint":     func(s *route.Server) { s.TLS.Fingerprint[0] = 1 },
		"mechanisms":      func(s *route.Server) { s.Mechanisms = []string{"PLAIN"} },
		"allow_cleartext": func(s *route.Server) { s.AllowCleartext = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := startScripted(t, "* OK hi", offered, "001 OK done")
			a := withCache(newUpstreamAuth(t, s.addr()))
			good := ask{user: "tim@up.example", pass: right}
			answers(t, a, good, authhttp.OK, "", "")
			s.Close()
			answers(t, a, good, authhttp.OK, "", "hit")
			change(a.Domains.Find("up.example").Servers[0])
			if _, e := answer(t, a, good.header()); e.Cache != "" {
				t.Errorf("answered from memory: %s", e.Cache)
			}
		})
	}
}

// Challenges differ each time, so there is nothing to remember.
func TestCacheLeavesDigestsAlone(t *testing.T) {
	a := withCache(newAuth(t))
	in := ask{method: "apop", protocol: "pop3", user: "alice@users.example", pass: strings.Repeat("0", 32), salt: "<1@h>"}
	answers(t, a, in, authhttp.Reject, authlog.PasswordMismatch, "")
	answers(t, a, in, authhttp.Reject, authlog.PasswordMismatch, "")
}

func TestCacheWhileTheServerIsDown(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 OK done")
	a := withCache(newUpstreamAuth(t, s.addr()))
	now := time.Now()
	a.Now = func() time.Time { return now }
	good := ask{user: "tim@up.example", pass: right}
	if e := answers(t, a, good, authhttp.OK, "", ""); e.Reply != "001 OK done" {
		t.Errorf("reply %q", e.Reply)
	}
	s.Close()
	if e := answers(t, a, good, authhttp.OK, "", "hit"); e.Reply != "001 OK done" {
		t.Errorf("reply %q from memory", e.Reply)
	}
	answers(t, a, ask{user: good.user, pass: wrong}, authhttp.TempFail, authlog.InternalFailure, "")
	now = now.Add(time.Hour)
	if e := answers(t, a, good, authhttp.OK, "", "stale"); e.Reply != "001 OK done" {
		t.Errorf("reply %q from memory after the TTL", e.Reply)
	}
	now = now.Add(time.Hour)
	answers(t, a, good, authhttp.TempFail, authlog.InternalFailure, "")
}

// Of two clients with one password, the throttle rejects only the one whose network has failed.
func TestCacheAndThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withCache(newAuth(t))
		a.Now = time.Now
		limits := throttle.Defaults()
		limits.NetworkLimit = 3
		var err error
		if a.throttle, err = throttle.New(limits, time.Now()); err != nil {
			t.Fatal(err)
		}
		free := occupy(t, a.hashing)
		outcomes := make(map[string]chan authhttp.Outcome)
		for _, client := range []string{"203.0.113.9", "198.51.100.7"} {
			outcome := make(chan authhttp.Outcome, 1)
			outcomes[client] = outcome
			h := ask{user: "alice@users.example", pass: right}.header()
			h.Set("Client-Ip", client)
			go func() { r, _ := a.Answer(t.Context(), h); outcome <- r.Outcome }()
			synctest.Wait()
		}
		for i := range 10 {
			a.throttle.Fail(t.Context(), netip.MustParseAddr("203.0.113.9"), fmt.Sprint("user", i), wrong, time.Now())
		}
		for range a.hashing.Config().Slots {
			free()
		}
		if guesser, other := <-outcomes["203.0.113.9"], <-outcomes["198.51.100.7"]; guesser != authhttp.Reject || other != authhttp.OK {
			t.Errorf("guesser %v, other %v", guesser, other)
		}
	})
}

// A decision for several logins runs apart from their requests; a panic there must not
// end the process.
func TestCachePanic(t *testing.T) {
	a := withCache(newAuth(t))
	a.CountHash = func() { panic("s3cr3t") }
	at := &attempt{login: &login{Request: authhttp.Request{Method: authhttp.Plain, Password: right}}}
	v := a.proveHash(t.Context(), at, a.userMap(), entry(t, a, alice), alice)
	wantIdle(t, a)
	if v.outcome != authhttp.TempFail || strings.Contains(v.detail, "s3cr3t") {
		t.Errorf("verdict %+v", v)
	}
}
