package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// verify checks the password by the one rule that applies to this user.
func (a *Authenticator) verify(ctx context.Context, l *login) verdict {
	if user := a.Users.Lookup(l.key); user != nil {
		a.trace("user %s has an entry, scheme %s", user.Name, user.Password.Scheme())
		return a.located(l, a.verifyHash(ctx, l, user.Password))
	}
	if l.domain.Verify == route.VerifyUsers {
		a.trace("user has no entry")
		return a.refuseUnknown(ctx, l)
	}
	return a.verifyUpstream(ctx, l)
}

// refuseUnknown takes as long as a wrong password would.
func (a *Authenticator) refuseUnknown(ctx context.Context, l *login) verdict {
	if decoy := a.Users.Decoy(l.key); decoy.Scheme() != "" {
		if v := a.verifyHash(ctx, l, decoy); v.outcome == authhttp.TempFail {
			return v
		}
	}
	return reject(authlog.UserUnknown, "no such user in the map")
}

func (a *Authenticator) verifyHash(ctx context.Context, l *login, hash password.Hash) verdict {
	release, err := a.Hashing.acquire(ctx)
	if err != nil {
		return tempFail("%v", err)
	}
	defer release()
	ok, err := hash.Verify(l.Password)
	switch {
	case err != nil:
		return tempFail("%v", err)
	case !ok:
		return reject(authlog.PasswordMismatch, "password does not match the entry in the map")
	}
	return verdict{outcome: authhttp.OK}
}

// located makes a good login of a user whose server has no address a temporary failure.
func (a *Authenticator) located(l *login, v verdict) verdict {
	if v.outcome == authhttp.OK && !l.addr.IsValid() {
		return unresolved(l.server)
	}
	return v
}

func unresolved(s *route.Server) verdict {
	return tempFail("server %q: host %q has not been resolved so far", s.Name, s.Host)
}

// verifyUpstream asks the mail server, on the client's own protocol or the one configured.
func (a *Authenticator) verifyUpstream(ctx context.Context, l *login) verdict {
	if !l.addr.IsValid() {
		return unresolved(l.server)
	}
	protocol := l.server.VerifyProtocol
	if protocol == "same" {
		protocol = string(l.Protocol)
	}
	target := upstream.Server{
		Protocol:       protocol,
		Addr:           netip.AddrPortFrom(l.addr.Addr(), l.server.Port(protocol)),
		ConnectTimeout: l.server.ConnectTimeout,
		Timeout:        l.server.Timeout,
	}
	if a.Trace != nil {
		target.Trace = func(line string) { a.trace("%s", line) }
	}
	a.trace("checking by %s at %v", protocol, target.Addr)
	reply, err := target.Login(ctx, l.name, l.Password)
	switch {
	case errors.Is(err, upstream.ErrRejected):
		return reject(authlog.PasswordMismatch, "server %q: %v", l.server.Name, err)
	case err != nil:
		return tempFail("server %q: %v", l.server.Name, err)
	}
	return verdict{outcome: authhttp.OK, reply: reply}
}

// MaxHashWait bounds how long a login waits for its turn to compute a hash: nginx
// gives up on us after 60 s.
const MaxHashWait = 20 * time.Second

// Slots bound how many hashes are computed at a time.
type Slots chan struct{}

// NewSlots makes n slots.
func NewSlots(n int) Slots { return make(Slots, n) }

func (s Slots) acquire(ctx context.Context) (release func(), err error) {
	release = func() { <-s }
	select {
	case s <- struct{}{}:
		return release, nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, MaxHashWait)
	defer cancel()
	select {
	case s <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("no turn to compute a hash in time: %w", ctx.Err())
	}
}
