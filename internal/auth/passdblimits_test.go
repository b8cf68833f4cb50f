package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/users"
)

// A login that the throttle rejects costs no query. An alias counts for its user, after one query.
func TestThrottleBeforeTheQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a = withThrottle(t, a, nil)
		guess(t, a, "192.0.2.1", dora, 3, authlog.PasswordMismatch)
		f.wantAsked(t, dora, dora, dora)
		wants(t, a, from("192.0.2.1", "Dora@db.example", right), authhttp.Reject, authlog.Policy, "pair")
		f.wantAsked(t)
		hashes := 0
		a.CountHash = func() { hashes++ }
		wants(t, a, from("192.0.2.1", "info@db.example", right), authhttp.Reject, authlog.Policy, "pair")
		f.wantAsked(t, "info@db.example")
		if hashes != 0 {
			t.Errorf("%d hashes for a login that the throttle rejects", hashes)
		}
		wants(t, a, from("192.0.2.2", "info@db.example", right), authhttp.OK, "", "")
	})
}

// Guesses at a user by all of its names count together, and so do those with extensions. A right password counts for the
// user as well.
func TestThrottleCountsPassdbUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a = withThrottle(t, a, nil)
		for _, name := range []string{"info@db.example", "dora+x@db.example", dora} {
			guess(t, a, "192.0.2.1", name, 1, authlog.PasswordMismatch)
		}
		f.asked = nil
		wants(t, a, from("192.0.2.1", dora, right), authhttp.Reject, authlog.Policy, "pair")
		wants(t, a, from("192.0.2.1", "dora+y@db.example", right), authhttp.Reject, authlog.Policy, "pair")
		f.wantAsked(t)
		guess(t, a, "192.0.2.3", nora, 3, authlog.UserUnknown)
		f.asked = nil
		wants(t, a, from("192.0.2.3", "nora+x@db.example", right), authhttp.Reject, authlog.Policy, "pair")
		f.wantAsked(t)

		wants(t, a, from("198.51.100.1", "info@db.example", right), authhttp.OK, "", "") // so the user is known there
		for i := range 3 {
			guess(t, a, fmt.Sprintf("203.0.113.%d", i), dora, 1, authlog.PasswordMismatch)
		}
		wants(t, a, from("203.0.113.9", dora, right), authhttp.Reject, authlog.Policy, "user")
		wants(t, a, from("198.51.100.1", dora, right), authhttp.OK, "", "")
	})
}

// An outage, and a value of the database that makes no sense, are not failures of the client.
func TestThrottleDoesNotCountOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a = withThrottle(t, a, nil)
		for i := range 5 {
			wants(t, a, from("192.0.2.1", "lost@db.example", fmt.Sprint(wrong, i)), authhttp.TempFail, authlog.InternalFailure, "")
		}
		f.err = errDown
		for i := range 5 {
			wants(t, a, from("192.0.2.1", dora, fmt.Sprint(wrong, i)), authhttp.TempFail, authlog.InternalFailure, "")
		}
		f.err = nil
		time.Sleep(route.MinBackoff)
		wants(t, a, from("192.0.2.1", dora, right), authhttp.OK, "", "")
	})
}

// A login that waited for a query asks the throttle again, because others have failed meanwhile.
func TestThrottleAfterWaitingForAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := newDBAuth(t)
		a = withThrottle(t, a, nil)
		free := occupy(t, a.passdbs["vmail"].slots)
		done := make(chan authlog.Event)
		go func() {
			_, e := a.Answer(t.Context(), from("192.0.2.1", dora, right))
			done <- e
		}()
		synctest.Wait()
		for i := range 3 {
			a.throttle.Fail(t.Context(), (&login{Request: authhttp.Request{ClientIP: "192.0.2.1"}}).client(), dora, fmt.Sprint(wrong, i), a.Now())
		}
		free()
		if e := <-done; e.Throttle != "pair" || e.Outcome != "reject" {
			t.Errorf("%s by %q (%s)", e.Outcome, e.Throttle, e.Error)
		}
	})
}

// meanwhile wants a login to be let in while others are decided, which wants cannot do.
func meanwhile(t *testing.T, a *Authenticator, h http.Header) {
	t.Helper()
	if r, e := a.Answer(t.Context(), h); r.Outcome != authhttp.OK {
		t.Errorf("%v: %s", r.Outcome, e.Error)
	}
}

// A single network does not have all slots for queries. All are free when all logins have ended.
func TestSlotsForQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a = withThrottle(t, a, nil)
		a.Trace = func(string, ...any) {} // set once, because logins run at the same time
		f.during = func(context.Context) { time.Sleep(time.Second) }
		done := make(chan authhttp.Outcome)
		const logins = MaxWaiting + 10
		for i := range logins {
			go func() {
				r, _ := a.Answer(t.Context(), from("192.0.2.1", dora, fmt.Sprint(wrong, i)))
				done <- r.Outcome
			}()
		}
		synctest.Wait()
		for _, in := range []struct{ user, pass string }{{alice, right}, {"toml@db.example", "toml-" + marker}} {
			begin := time.Now() // users of the map do not wait
			meanwhile(t, a, from("198.51.100.1", in.user, in.pass))
			if took := time.Since(begin); took != 0 {
				t.Errorf("%s waited %v", in.user, took)
			}
		}
		begin := time.Now()
		meanwhile(t, a, from("198.51.100.1", dora, right))
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("a login from another network took %v", took)
		}
		count := make(map[authhttp.Outcome]int)
		for range logins {
			count[<-done]++
		}
		if count[authhttp.OK] != 0 || count[authhttp.TempFail] < 5 || count[authhttp.Reject] < 3 {
			t.Errorf("%v", count)
		}
		wantIdle(t, a)
	})
}

// A login that gets no slot in time is a temporary failure, and nobody waits longer.
func TestNoSlotForAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a.Now = time.Now
		occupy(t, a.passdbs["vmail"].slots)
		begin := time.Now()
		e := answers(t, a, ask{user: dora, pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("waited %v (%s)", took, e.Error)
		}
		f.wantAsked(t)
		answers(t, a, ask{user: alice, pass: right}, authhttp.OK, "", "")
	})
}

// The query of a client that has gone away says nothing about the database.
func TestQueryEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a.Now = time.Now
		f.during = func(ctx context.Context) { <-ctx.Done() }
		f.err = errDown
		for range 2 * route.MaxFails {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if r, e := a.Answer(ctx, ask{user: dora, pass: right}.header()); r.Outcome != authhttp.TempFail {
				t.Errorf("%v (%s)", r.Outcome, e.Error)
			}
			cancel()
		}
		if s := a.passdbs["vmail"].breaker.State(); s != route.Closed {
			t.Errorf("the database is %v", s)
		}
		wantIdle(t, a)
	})
}

// A database that is down is set aside after three failures in a row. Other users are not affected.
func TestPassdbIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a.Now = time.Now
		pia := users.User{Name: "pia@other.example", Passwords: f.decoy.Passwords}
		other := &fakeDB{users: map[string]users.User{pia.Name: pia}}
		domains := []*route.Domain{a.Domains.Find("users.example"), a.Domains.Find("db.example")}
		setDomains(a, append(domains, &route.Domain{Name: "other.example", Verify: "other", Servers: domains[0].Servers})...)
		p := other.passdb()
		p.Name = "other"
		a.usePassdb(p)
		setAside := func() (names []string) {
			for name, p := range a.PassdbsInUse() {
				if p.SetAside() {
					names = append(names, name)
				}
			}
			return names
		}
		f.err = errDown
		for i := range route.MaxFails {
			if names := setAside(); names != nil {
				t.Errorf("%q are set aside after %d failures", names, i)
			}
			e := answers(t, a, ask{user: dora, pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
			if e.Error != errDown.Error() {
				t.Errorf("the log says %q", e.Error)
			}
		}
		f.wantAsked(t, dora, dora, dora)
		for _, user := range []string{dora, nora, "both@db.example"} {
			answers(t, a, ask{user: user, pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
		}
		f.wantAsked(t)
		if names := setAside(); !slices.Equal(names, []string{"vmail"}) {
			t.Errorf("set aside: %q", names)
		}
		wantNotes(t, a, dora, "", `passdb "vmail" has been set aside for 0s: `+errDown.Error()+"; a login may try it in ")
		for user, pass := range map[string]string{alice: right, "toml@db.example": "toml-" + marker, pia.Name: right} {
			answers(t, a, ask{user: user, pass: pass}, authhttp.OK, "", "")
			if notes := a.Notes(t.Context(), user, "", authhttp.IMAP); len(notes) > 0 && user != "toml@db.example" {
				t.Errorf("notes of %s: %q", user, notes)
			}
		}
		f.err = nil
		time.Sleep(route.MinBackoff)
		answers(t, a, ask{user: dora, pass: right}, authhttp.OK, "", "")
		answers(t, a, ask{user: nora, pass: right}, authhttp.Reject, authlog.UserUnknown, "")
		wantNotes(t, a, dora, "")
		if names := setAside(); names != nil {
			t.Errorf("still set aside: %q", names)
		}
	})
}

// An error that concerns one user does not set the database aside.
func TestBadValuesAreNoOutage(t *testing.T) {
	a, f := newDBAuth(t)
	f.err = errors.New(`passdb "vmail": user "dora@db.example": field allow_nets: entry 1: want a network`)
	for range 2 * route.MaxFails {
		e := answers(t, a, ask{user: dora, pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
		if e.Error != f.err.Error() {
			t.Errorf("the log says %q", e.Error)
		}
	}
	f.err = nil
	answers(t, a, ask{user: dora, pass: right}, authhttp.OK, "", "")
}

// A panic in a query is a temporary failure, and gives back its slot and the trial of a database that was set aside.
func TestPanicInAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, f := newDBAuth(t)
		a.Now = time.Now
		f.err = errDown
		for range route.MaxFails {
			answers(t, a, ask{user: dora, pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
		}
		time.Sleep(route.MinBackoff)
		f.during = func(context.Context) { panic(marker) }
		answers(t, a, ask{user: dora, pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
		f.during, f.err = nil, nil
		answers(t, a, ask{user: dora, pass: right}, authhttp.OK, "", "")
		wantIdle(t, a)
	})
}

// What is counted for a user is shown and reset by any name of the user, also one that only the database knows.
func TestForgivePassdbUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, name := range []string{dora, "info@db.example", "Dora+x@DB.example"} {
			a, f := newDBAuth(t)
			a = withCache(withThrottle(t, a, nil))
			a.Throttle = new(throttle.Config)
			guess(t, a, "192.0.2.1", dora, 3, authlog.PasswordMismatch)
			wants(t, a, from("192.0.2.1", dora, right), authhttp.Reject, authlog.Policy, "pair")
			wantNotes(t, a, name, "192.0.2.1", "[throttle] rejects this login: 3 different wrong passwords of this pair",
				"[throttle] pair 3 of 3, network 3 of 9, user 3 of 6 wrong passwords, of this machine", "[cache] remembers 0 right and 3 refused passwords")
			f.err = errDown
			if _, err := a.Forgive(t.Context(), name); !errors.Is(err, errDown) {
				t.Errorf("%s: error %v while the database is down", name, err)
			}
			f.err = nil
			if n, err := a.Forgive(t.Context(), name); n == 0 || err != nil {
				t.Errorf("%s: %d counters, %v", name, n, err)
			}
			wants(t, a, from("192.0.2.1", dora, right), authhttp.OK, "", "")
		}
	})
}
