package auth

import (
	"context"
	"errors"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/users"
)

// verifier proves a login. It returns ok, reject or a temporary failure, and does not look at the rules.
type verifier interface {
	prove(ctx context.Context, at *attempt) verdict

	// scope identifies everything that the verdict depends on but the login's name, protocol and password.
	scope(at *attempt) string

	// callers is the group of the logins that have or wait for such a proof.
	callers() *limit.Group
}

// cheap is part of verifiers that need no slot, and whose verdicts are not remembered.
type cheap struct{}

func (cheap) callers() *limit.Group { return nil }
func (cheap) scope(*attempt) string { return "" }

// prove proves who the client is, by the one verifier that applies.
func (a *Authenticator) prove(ctx context.Context, at *attempt) verdict {
	switch {
	case at.masterName != "":
		return a.proveMaster(ctx, at)
	case at.Method == authhttp.External:
		return certificate{a: a}.prove(ctx, at)
	case at.Method != authhttp.Plain:
		return a.proveDigest(ctx, at, at.entry, at.key)
	case at.entry != nil && len(at.entry.Passwords) > 0, at.domain.Verify == route.VerifyUsers:
		return a.proveHash(ctx, at, at.entry, at.key)
	}
	return a.proveAtServers(ctx, at)
}

// proveMaster checks the master user's password. That the user exists is the map's
// word, or the server's when nginx logs in.
func (a *Authenticator) proveMaster(ctx context.Context, at *attempt) verdict {
	master := at.master
	if master != nil && !master.Master {
		master = nil
	}
	var v verdict
	switch at.Method {
	case authhttp.External:
		return reject(authlog.Policy, "a master user logs in by password")
	case authhttp.Plain:
		v = a.proveHash(ctx, at, master, at.masterName)
	default:
		v = a.proveDigest(ctx, at, master, at.masterName)
	}
	if v.outcome == authhttp.OK && at.entry == nil && at.domain.Verify == route.VerifyUsers {
		return reject(authlog.UserUnknown, noSuchUser)
	}
	return v
}

const noSuchUser = "no such user in the map"

// entryOrStandIn is the entry with the passwords that count for a name. If there is none, it is another user's of
// the domain, so that the refusal takes as long; nil if there is nobody to hide.
func (a *Authenticator) entryOrStandIn(entry *users.User, name string) (u *users.User, known bool) {
	standIn := a.Directory.Decoy(name) // for known users too, because choosing takes time
	if entry != nil && len(entry.Passwords) > 0 {
		if a.Trace != nil {
			a.trace("user %s has an entry with %d passwords", entry.Name, len(entry.Passwords))
		}
		return entry, true
	}
	a.trace("user has no entry with a password")
	return standIn, false
}

// bounded is a verifier that needs a slot.
type bounded struct {
	a *Authenticator
	verifier
	slots *limit.Limiter
	wait  time.Duration // for a slot
	what  string        // the slots are for, and the key that sets their number, for the log
}

// errThrottled ends the wait of a login that the throttle rejects when it could begin.
var errThrottled = errors.New("throttled")

// prove waits for a slot. A login that had to wait asks the throttle again: others may have failed meanwhile.
func (b bounded) prove(ctx context.Context, at *attempt) (v verdict) {
	var standing throttle.Verdict
	slot, err := b.slots.Acquire(ctx, b.wait, at.client, func() error {
		if standing = b.a.standing(at.login); !standing.Allowed {
			return errThrottled
		}
		return nil
	})
	switch {
	case errors.Is(err, errThrottled):
		v = throttled(standing)
	case err != nil:
		v = tempFail("no slot to %s = %d: %v", b.what, b.slots.Config().Slots, err)
	default:
		defer slot.Release()
		v = b.verifier.prove(ctx, at)
	}
	v.standing, v.waited = standing, standing != throttle.Verdict{}
	return v
}
