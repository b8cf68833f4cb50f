package auth

import (
	"context"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// verifier proves a login.
type verifier interface {
	// prove returns ok, reject or a temporary failure. It does not apply the rules.
	prove(ctx context.Context, at *attempt) verdict
}

// costly is a verifier whose verdicts are remembered, and shared by logins that are the same.
type costly interface {
	verifier

	// scope identifies everything that the verdict depends on, except the login's name, protocol and password.
	scope(at *attempt) string

	// callers returns the group that bounds the logins that this verifier proves.
	callers() *limit.Group
}

// prove proves who the client is, by the one verifier that applies.
func (a *Authenticator) prove(ctx context.Context, at *attempt) verdict {
	inMap := at.entry != nil && len(at.entry.Passwords) > 0 || at.domain.Verify != route.VerifyUpstream
	if at.Method == authhttp.Plain && at.masterName == "" && !inMap {
		return a.proveAtServers(ctx, at)
	}
	if v, ok := a.reachable(at.login); !ok { // or only a wrong password would be rejected
		return v
	}
	switch {
	case at.masterName != "":
		return a.proveMaster(ctx, at)
	case at.Method == authhttp.External:
		return certificate{a}.prove(ctx, at)
	case at.Method == authhttp.Plain && at.bind != nil:
		return a.proveBind(ctx, at)
	case at.Method != authhttp.Plain:
		return a.proveDigest(ctx, at, a.source(at.login), at.entry, at.key)
	}
	return a.proveHash(ctx, at, a.source(at.login), at.entry, at.key)
}

// reachable is ok if nginx can be sent to the login's server, else a temporary failure.
func (a *Authenticator) reachable(l *login) (verdict, bool) {
	switch {
	case l.setAside:
		return tempFail(allSetAside), false
	case !l.addr.IsValid():
		return unresolved(l.server), false
	}
	return verdict{}, true
}

const allSetAside = "all servers are set aside because they did not answer"

// proveMaster checks the master user's password.
func (a *Authenticator) proveMaster(ctx context.Context, at *attempt) verdict {
	master := at.master
	if master != nil && !master.Settings().Master {
		master = nil
	}
	switch at.Method {
	case authhttp.External:
		return reject(authlog.Policy, "a master user logs in by password")
	case authhttp.Plain:
		return a.proveHash(ctx, at, a.userMap(), master, at.masterName)
	}
	return a.proveDigest(ctx, at, a.userMap(), master, at.masterName)
}

// entryOrDecoy returns the entry with the passwords of a name. If there is none, it returns the decoy: another user
// of the domain, so that the refusal takes as long. It returns nil if the domain has no such user.
func (a *Authenticator) entryOrDecoy(from source, entry *users.User, name string) (u *users.User, known bool) {
	decoy := from.Decoy(name) // for known users too, because choosing takes time
	if entry != nil && len(entry.Passwords) > 0 {
		if a.Trace != nil {
			a.trace("user %s has an entry with %d passwords", entry.Name, len(entry.Passwords))
		}
		return entry, true
	}
	a.trace("user has no entry with a password")
	return decoy, false
}

// bounded is a verifier that needs a slot.
type bounded struct {
	a *Authenticator
	costly
	slots *limit.Limiter
	wait  time.Duration // for a slot
	what  string        // what the slots are for, and the configuration key of their number, for the log
}

// prove waits for a slot. A login that had to wait asks the throttle again: others may have failed meanwhile.
func (b bounded) prove(ctx context.Context, at *attempt) (v verdict) {
	slot, err := b.slots.Acquire(ctx, b.wait, at.client)
	if err != nil {
		return tempFail("no slot to %s = %d: %v", b.what, b.slots.Config().Slots, err)
	}
	defer slot.Release()
	if !slot.Waited {
		return b.costly.prove(ctx, at)
	}
	standing := b.a.askThrottle(ctx, at.login)
	if standing.Allowed {
		v = b.costly.prove(ctx, at)
	} else {
		v = throttled(standing)
	}
	v.standing, v.waited = standing, true
	return v
}
