package auth

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/users"
)

// keptOut are rules that keep a login out, and the reason for the log.
var keptOut = map[string]struct {
	rules  access.Rules
	reason authlog.Reason
}{
	"nologin":    {access.Rules{NoLogin: new(true)}, authlog.UserDisabled},
	"expires":    {access.Rules{Expires: began.Add(-time.Hour)}, authlog.UserDisabled},
	"protocols":  {access.Rules{Protocols: []string{"smtp"}}, authlog.Policy},
	"deny_nets":  {access.Rules{DenyNets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}, authlog.Policy},
	"allow_nets": {access.Rules{AllowNets: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}, authlog.Policy},
}

// Of a user that the rules keep out as much is computed for a right password as for a wrong one, whichever of
// the user's passwords it is, and a refusal is remembered alike.
func TestRightPasswordOfAUserKeptOut(t *testing.T) {
	for name, tt := range keptOut {
		t.Run(name, func(t *testing.T) {
			a := withCache(newAuth(t))
			a.Now = func() time.Time { return began }
			hashes := 0
			a.CountHash = func() { hashes++ }
			var list []users.Password
			for i := range 3 {
				list = append(list, users.Password{Hash: hashOf(t, fmt.Sprint("{PLAIN}", right, i))})
			}
			var err error
			if a.Directory, err = users.New([]users.User{{Name: alice, Passwords: list, Extra: &users.Settings{Access: tt.rules}}}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				answers(t, a, ask{user: alice, pass: wrong}, authhttp.Reject, authlog.PasswordMismatch, "")
				answers(t, a, ask{user: alice, pass: right + "0"}, authhttp.Reject, tt.reason, "")
				answers(t, a, ask{user: alice, pass: right + "2"}, authhttp.Reject, tt.reason, "")
				if hashes != 9 {
					t.Errorf("%d hashes for 3 tries at 3 passwords", hashes)
				}
				answers(t, a, ask{user: alice, pass: wrong}, authhttp.Reject, authlog.PasswordMismatch, "hit")
				answers(t, a, ask{user: alice, pass: right + "0"}, authhttp.Reject, tt.reason, "hit")
				hashes = 0
				a.FlushCache(func(string) bool { return true })
			}
			// What was refused by a rule is not refused without it, and the other way round.
			answers(t, a, ask{user: alice, pass: right + "0"}, authhttp.Reject, tt.reason, "")
			entry(t, a, alice).Extra = nil
			answers(t, a, ask{user: alice, pass: right + "0"}, authhttp.OK, "", "")
			answers(t, a, ask{user: alice, pass: right + "0"}, authhttp.OK, "", "hit")
			entry(t, a, alice).Extra = &users.Settings{Access: tt.rules}
			answers(t, a, ask{user: alice, pass: right + "0"}, authhttp.Reject, tt.reason, "hit")
		})
	}
}

// A mail server is not asked about a user that the rules keep out: it could answer sooner to a right password, and
// it must not lock the account. The refusal is that of the rules, even if the server lets the name in.
func TestServerIsNotAskedAboutUsersKeptOut(t *testing.T) {
	for name, tt := range keptOut {
		for verdict, reply := range map[string]string{"refuses": "001 NO AUTHENTICATE failed", "accepts": "001 OK done"} {
			t.Run(name+", server "+verdict, func(t *testing.T) {
				s := startScripted(t, "* OK hi", offered, reply)
				a := withCache(newUpstreamAuth(t, s.addr()))
				a.Now = func() time.Time { return began }
				var err error
				if a.Directory, err = users.New([]users.User{{Name: "tim@up.example", Extra: &users.Settings{Access: tt.rules}}}); err != nil {
					t.Fatal(err)
				}
				answers(t, a, ask{user: "tim@up.example", pass: right}, authhttp.Reject, tt.reason, "")
				answers(t, a, ask{user: "tim@up.example", pass: right}, authhttp.Reject, tt.reason, "hit")
				s.Close()
				var got []string
				for len(s.got) > 0 {
					got = append(got, <-s.got)
				}
				if len(got) < 2 {
					t.Fatalf("the server got %q", got)
				}
				answer, _ := base64.StdEncoding.DecodeString(got[1])
				name, _, _ := strings.Cut(string(answer), " ")
				if !strings.HasSuffix(name, "@up.example") || strings.HasPrefix(name, "tim@") || slices.Contains(got, proof(name, right)) {
					t.Errorf("the server was asked about %q", name)
				}
			})
		}
	}
}

// The password of the user who stands in for a name that does not exist is like any other.
func TestPasswordOfTheStandIn(t *testing.T) {
	a := withCache(newAuth(t))
	a.Directory = userMap(t, alice)
	for _, cached := range []string{"", "hit"} {
		answers(t, a, ask{user: "bob@users.example", pass: right}, authhttp.Reject, authlog.UserUnknown, cached)
		answers(t, a, ask{user: "bob@users.example", pass: wrong}, authhttp.Reject, authlog.UserUnknown, cached)
	}
	if good, bad := a.CacheLen(); good != 0 || bad != 2 {
		t.Errorf("%d right and %d refused passwords are remembered", good, bad)
	}
}

// Only a login that is let in is remembered as right: not one for which nginx would have no password.
func TestRightPasswordThatLetsNobodyIn(t *testing.T) {
	a := withCache(newAuth(t))
	answers(t, a, ask{user: "alice@lost.example", pass: right}, authhttp.TempFail, authlog.InternalFailure, "")
	if good, bad := a.CacheLen(); good != 0 || bad != 0 {
		t.Errorf("%d right and %d refused passwords are remembered", good, bad)
	}
}

// A digest that cannot be checked costs as much as one that can.
func TestDigestsOfAllUsers(t *testing.T) {
	a := newSite(t)
	for _, in := range []ask{
		{method: "cram-md5", user: alice, pass: cram(wrong)},
		{method: "cram-md5", user: "slow@users.example", pass: cram(wrong)},
		{method: "cram-md5", user: "cert@users.example", pass: cram(wrong)},
		{method: "cram-md5", user: "nobody@users.example", pass: cram(wrong)},
		{method: "cram-md5", user: "tim@up.example", pass: cram(wrong)},
		{method: "apop", protocol: "pop3", user: "slow@users.example", pass: apop(wrong)},
		{method: "apop", protocol: "pop3", user: "tim@up.example", pass: apop(wrong)},
	} {
		in.salt = salt
		occupied := occupy(t, a.hashing) // a digest needs no slot, whoever's it is
		r, e := answer(t, a, in.header())
		if r.Outcome != authhttp.Reject || r.Text != failed {
			t.Errorf("%s by %s: %v %q (%s)", in.user, in.method, r.Outcome, r.Text, e.Error)
		}
		for range a.hashing.Config().Slots {
			occupied()
		}
	}
}

// A login that comes after a flush is not answered by a proof that began before.
func TestFlushEndsSharing(t *testing.T) {
	a := withCache(newAuth(t))
	a.Now = time.Now // two logins at a time ask for it
	began, goOn := make(chan int, 2), make(chan struct{})
	a.CountHash = func() { began <- 1; <-goOn }
	others := *a // wants traces
	outcomes := make(chan authhttp.Outcome, 2)
	login := func() {
		r, _ := others.Answer(t.Context(), ask{user: alice, pass: right}.header())
		outcomes <- r.Outcome
	}
	go login()
	<-began
	a.FlushCache(func(string) bool { return true })
	go login()
	<-began // or the test hangs: the second login waits for the first one
	close(goOn)
	for range 2 {
		if o := <-outcomes; o != authhttp.OK {
			t.Error(o)
		}
	}
}

// What a proof that began before a flush says is not remembered after it.
func TestFlushDuringAProof(t *testing.T) {
	for _, in := range []ask{{user: alice, pass: right}, {user: alice, pass: wrong}} {
		a := withCache(newAuth(t))
		a.CountHash = func() { a.FlushCache(func(string) bool { return true }) }
		answer(t, a, in.header())
		if good, bad := a.CacheLen(); good != 0 || bad != 0 {
			t.Errorf("%d right and %d refused passwords are remembered", good, bad)
		}
	}
}
