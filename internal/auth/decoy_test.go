package auth

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/users"
)

// A digest by the password of the user who stands in for a name lets nobody in.
func TestDigestOfTheStandIn(t *testing.T) {
	for _, domain := range []string{"users.example", "mixed.example"} {
		want := authlog.UserUnknown
		if domain == "mixed.example" { // its server may know the name
			want = authlog.SchemeNotAvailable
		}
		a := newAuth(t)
		a.Directory = userMap(t, "alice@"+domain)
		for _, in := range []ask{
			{method: "cram-md5", user: "bob@" + domain, pass: cram(right)},
			{method: "apop", protocol: "pop3", user: "bob@" + domain, pass: apop(right)},
		} {
			in.salt = salt
			answers(t, a, in, authhttp.Reject, want, "")
		}
	}
}

// A master user that does not exist is not one of the domain that the login is for.
func TestDigestOfNoMaster(t *testing.T) {
	in := ask{method: "cram-md5", user: "tim@up.example*nobody@users.example", pass: cram(right), salt: salt}
	answers(t, newSite(t), in, authhttp.Reject, authlog.UserUnknown, "")
}

// A digest counts by the protocols of the password that it proves, and that password is nginx's.
func TestDigestOfOneOfManyPasswords(t *testing.T) {
	digest := func(pass string) ask { return ask{method: "cram-md5", user: alice, pass: cram(pass), salt: salt} }
	a := newAuth(t)
	var err error
	a.Directory, err = users.New([]users.User{{Name: alice, Passwords: []users.Password{
		{Hash: hashOf(t, "{PLAIN}smtp "+marker), Label: "smtp", Protocols: []string{"smtp"}},
		{Hash: hashOf(t, "{PLAIN}"+right), Label: "all"},
		{Hash: hashOf(t, "{PLAIN}"+right), Label: "again", Protocols: []string{"smtp"}},
		{Hash: hashOf(t, "{PLAIN}other "+marker), Label: "other"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	answers(t, a, digest("smtp "+marker), authhttp.Reject, authlog.Policy, "")
	for pass, label := range map[string]string{right: "all", "other " + marker: "other"} {
		r, e := answer(t, a, digest(pass).header())
		if r.Outcome != authhttp.OK || r.Password != pass || e.Label != label {
			t.Errorf("%v, not the password that was right, or label %q (%s)", r.Outcome, e.Label, e.Error)
		}
	}
}

// The password that was right has its label in the log, also when it is remembered.
func TestRememberedLabel(t *testing.T) {
	a := withCache(newAuth(t))
	var err error
	a.Directory, err = users.New([]users.User{{Name: alice, Passwords: []users.Password{
		{Hash: hashOf(t, "{PLAIN}other "+marker), Label: "first"},
		{Hash: hashOf(t, "{PLAIN}"+right), Label: "second"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, cached := range []string{"", "hit"} {
		if e := answers(t, a, ask{user: alice, pass: right}, authhttp.OK, "", cached); e.Label != "second" {
			t.Errorf("label %q", e.Label)
		}
	}
}

// What is remembered of a user does not count for one who has the same password, nor, after a reload without the
// user, for the one who stands in.
func TestRememberedForOneUser(t *testing.T) {
	const bob = "bob@users.example"
	a := withCache(newAuth(t))
	a.Directory = userMap(t, alice, bob)
	answers(t, a, ask{user: alice, pass: right}, authhttp.OK, "", "")
	answers(t, a, ask{user: bob, pass: right}, authhttp.OK, "", "")
	answers(t, a, ask{user: bob, pass: right}, authhttp.OK, "", "hit")
	a.Directory = userMap(t, alice)
	answers(t, a, ask{user: bob, pass: right}, authhttp.Reject, authlog.UserUnknown, "")
}

// When the client is gone no other of the user's passwords is tried.
func TestHashesEndWithTheRequest(t *testing.T) {
	a := newAuth(t)
	ctx, cancel := context.WithCancel(t.Context())
	hashes := 0
	a.CountHash = func() { hashes++; cancel() }
	u := entry(t, a, alice)
	u.Passwords = append(u.Passwords, u.Passwords[0])
	if r, _ := a.Answer(ctx, ask{user: alice, pass: wrong}.header()); r.Outcome != authhttp.TempFail || hashes != 1 {
		t.Errorf("%v after %d hashes", r.Outcome, hashes)
	}
}

// halfDirectory cannot tell whether a name has an entry, unless it is the base.
type halfDirectory struct{ users.Directory }

func (d halfDirectory) Find(ctx context.Context, name string) (*users.User, error) {
	if name != "bob@users.example" {
		return brokenDirectory{}.Find(ctx, name)
	}
	return nil, nil
}

// A name whose entry cannot be looked up is not taken for its base.
func TestDirectoryFailsForAnExtension(t *testing.T) {
	a := newAuth(t)
	a.Domains.Find("users.example").RecipientDelimiter = "+"
	a.Directory = halfDirectory{a.Directory}
	answers(t, a, ask{user: "bob+x@users.example", pass: wrong}, authhttp.TempFail, authlog.InternalFailure, "")
}

// A login that waits for the proof of another one ends with its own request.
func TestJoinedLoginEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withCache(newAuth(t))
		a.Now = time.Now
		a.CountHash = func() { time.Sleep(time.Hour) }
		h := ask{user: alice, pass: right}.header()
		go a.Answer(t.Context(), h)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if r, _ := a.Answer(ctx, h); r.Outcome != authhttp.TempFail || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", r.Outcome, time.Since(begin))
		}
		time.Sleep(time.Hour)
		wantIdle(t, a)
	})
}
