package auth

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
)

// wantMail asks about mail, and wants its status and its reason.
func wantMail(t *testing.T, a *Authenticator, to, status string, reason authlog.Reason) {
	t.Helper()
	h := ask{method: "none", protocol: "smtp"}.header()
	h.Set("Auth-Smtp-To", "RCPT TO:<"+to+">")
	if r, e := answer(t, a, h); r.Status() != status || e.Reason != reason || r.Outcome == authhttp.OK && r.Server.Addr().String() != "192.0.2.1" {
		t.Errorf("mail to %s: %q %s at %v (%s), want %q %s", to, r.Status(), e.Reason, r.Server, e.Error, status, reason)
	}
}

const (
	relayed = "Relay access denied"
	nobody  = "User unknown"
)

func TestMailToPassdbUsers(t *testing.T) {
	for _, tt := range []struct {
		to, status string
		reason     authlog.Reason
		asked      []string
	}{
		{dora, "OK", "", []string{dora}},
		{"Info+news@DB.example", "OK", "", []string{"info+news@db.example", "info@db.example"}},
		{"store@db.example", "OK", "", []string{"store@db.example"}}, // at the domain's server
		{"null@db.example", "OK", "", []string{"null@db.example"}},
		{"both@db.example", "OK", "", nil}, // the map has it
		{"postmaster@db.example", "OK", "", nil},
		{nora, nobody, authlog.UserUnknown, []string{nora}},
		{"dora@elsewhere.example", relayed, authlog.Policy, nil},
	} {
		a, f := newDBAuth(t)
		wantMail(t, a, tt.to, tt.status, tt.reason)
		f.wantAsked(t, tt.asked...)
	}
	a, f := newDBAuth(t)
	a.Domains.Find("db.example").CatchAll = true
	wantMail(t, a, nora, "OK", "")
	f.err = errDown
	wantMail(t, a, nora, "OK", "")
	f.wantAsked(t)
	a.Domains.Find("db.example").CatchAll = false
	wantMail(t, a, dora, trouble, authlog.InternalFailure)
	wantMail(t, a, alice, "OK", "")
}

// anyDomain makes the database that of all domains that are not listed.
func anyDomain(a *Authenticator, f *fakeDB, hasDomain func(context.Context, string) (bool, error)) {
	home := a.Domains.Find("users.example")
	setDomains(a, home, &route.Domain{Name: route.AnyDomain, Verify: "vmail", Servers: home.Servers})
	p := f.passdb()
	p.HasDomain = hasDomain
	a.usePassdb(p)
}

// ours knows one domain.
func ours(_ context.Context, domain string) (bool, error) { return domain == "db.example", nil }

func TestAnyDomain(t *testing.T) {
	a, f := newDBAuth(t)
	anyDomain(a, f, ours)
	answers(t, a, ask{user: dora, pass: right}, authhttp.OK, "", "")
	answers(t, a, ask{user: nora, pass: right}, authhttp.Reject, authlog.UserUnknown, "")
	f.wantAsked(t, dora, nora)
	answers(t, a, ask{user: "dora@else.example", pass: right}, authhttp.Reject, authlog.UserUnknown, "")
	answers(t, a, ask{user: alice, pass: right}, authhttp.OK, "", "")
	f.wantAsked(t)
	anyDomain(a, f, nil)
	answers(t, a, ask{user: "dora@else.example", pass: right}, authhttp.Reject, authlog.UserUnknown, "")
	answers(t, a, ask{user: dora, pass: right}, authhttp.OK, "", "")
	f.wantAsked(t, "dora@else.example", dora)
	anyDomain(a, f, func(context.Context, string) (bool, error) { return false, errDown })
	answers(t, a, ask{user: dora, pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
	wantMail(t, a, dora, trouble, authlog.InternalFailure)
	f.wantAsked(t)
}

// Mail to a domain that is not ours is refused whatever its recipient is, or we would be an open relay.
func TestMailToAnyDomain(t *testing.T) {
	for _, catchAll := range []bool{false, true} {
		a, f := newDBAuth(t)
		anyDomain(a, f, ours)
		a.Domains.Find("db.example").CatchAll = catchAll
		status, reason := nobody, authlog.UserUnknown
		if catchAll {
			status, reason = "OK", ""
		}
		wantMail(t, a, dora, "OK", "")
		wantMail(t, a, nora, status, reason)
		wantMail(t, a, "postmaster@db.example", "OK", "")
		wantMail(t, a, "dora@else.example", relayed, authlog.Policy)
		wantMail(t, a, "postmaster@else.example", relayed, authlog.Policy)

		anyDomain(a, f, nil) // no domain is known to be ours, but by its users
		a.Domains.Find("db.example").CatchAll = catchAll
		wantMail(t, a, dora, "OK", "")
		wantMail(t, a, nora, nobody, authlog.UserUnknown)
		wantMail(t, a, "postmaster@else.example", nobody, authlog.UserUnknown)
	}
}

// Mail from one network does not keep mail from others waiting for the database, with a throttle or without.
func TestMailFromOneNetwork(t *testing.T) {
	for name, throttled := range map[string]bool{"with a throttle": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, f := newDBAuth(t)
				a.Now = time.Now
				if throttled {
					a = withThrottle(t, a, nil)
				}
				f.during = func(context.Context) { time.Sleep(time.Second) }
				mail := func(ip string) (authhttp.Outcome, time.Duration) {
					h := ask{method: "none", protocol: "smtp"}.header()
					h["Client-Ip"] = []string{ip}
					h.Set("Auth-Smtp-To", "RCPT TO:<"+dora+">")
					begin := time.Now()
					r, _ := a.Answer(t.Context(), h)
					return r.Outcome, time.Since(begin)
				}
				done := make(chan bool)
				for range 20 {
					go func() { mail("192.0.2.1"); done <- true }()
				}
				synctest.Wait()
				if outcome, took := mail("198.51.100.1"); outcome != authhttp.OK || took > 2*time.Second {
					t.Errorf("mail from another network: %v after %v", outcome, took)
				}
				for range 20 {
					<-done
				}
				wantIdle(t, a)
			})
		})
	}
}
