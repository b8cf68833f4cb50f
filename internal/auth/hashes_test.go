package auth

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authlog"
)

// Everyone whose password is compared with a hash, or seems to be, needs a slot: a
// login that did not would show by its time that the user is unknown.
func TestLoginsWaitForASlot(t *testing.T) {
	const timedOut = "no slot to compute a hash, hash_concurrency = 2: gave up waiting: context deadline exceeded"
	for _, tt := range []struct {
		name string
		in   ask
		want result // with a slot free
	}{
		{"right password", ask{user: "alice@users.example", pass: right}, accepted(box1)},
		{"wrong password", ask{user: "alice@users.example", pass: wrong},
			refused(box1, authlog.PasswordMismatch, "password does not match the entry in the map")},
		{"unknown user", ask{user: "bob@users.example", pass: wrong},
			refused(box1, authlog.UserUnknown, "no such user in the map")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuth(t)
				free := occupy(t, a.hashing)
				start := time.Now()
				check(t, a, tt.in, troubled(box1, timedOut))
				if waited := time.Since(start); waited != MaxHashWait {
					t.Errorf("waited %v, want %v", waited, MaxHashWait)
				}
				time.AfterFunc(MaxHashWait-1, free)
				a.Now = clock()
				check(t, a, tt.in, tt.want)
				free()
				wantIdle(t, a)
			})
		})
	}
}

// These do not depend on a hash, so many logins that do not hold them up.
func TestLoginsThatNeedNoSlot(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   ask
		want result
	}{
		{"domain without users", ask{user: "alice@empty.example", pass: wrong}, refused(box1, authlog.UserUnknown, "no such user in the map")},
		{"unlisted domain", ask{user: "alice@other.example", pass: wrong}, refused("", authlog.UserUnknown, "domain is not listed in [domains]")},
		{"empty password", ask{user: "alice@users.example"}, refused("", authlog.Policy, "empty password")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAuth(t)
				occupy(t, a.hashing)
				start := time.Now()
				check(t, a, tt.in, tt.want)
				if waited := time.Since(start); waited > 0 {
					t.Errorf("waited %v", waited)
				}
			})
		})
	}
}

// nginx may give up before there is a slot.
func TestWaitEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t)
		occupy(t, a.hashing)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		start := time.Now()
		_, event := a.Answer(ctx, ask{user: "alice@users.example", pass: right}.header())
		compare(t, event, troubled(box1, "no slot to compute a hash, hash_concurrency = 2: gave up waiting: context canceled").event(ask{user: "alice@users.example"}))
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}

func TestSlotsAreGivenBack(t *testing.T) {
	a := newAuth(t)
	for range 10 * a.hashing.Config().Slots {
		for _, in := range []ask{
			{user: "alice@users.example", pass: right},
			{user: "alice@users.example", pass: wrong},
			{user: "bob@users.example", pass: right},
			{user: "alice@lost.example", pass: right},
		} {
			answer(t, a, in.header())
			wantIdle(t, a)
		}
	}
}
