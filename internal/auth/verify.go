package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// verify proves who the client is, by the one rule that applies.
func (a *Authenticator) verify(ctx context.Context, l *login) verdict {
	switch {
	case l.masterName != "":
		return a.verifyMaster(ctx, l)
	case l.Method == authhttp.External:
		return a.verifyCertificate(l)
	case l.user != nil && len(l.user.Passwords) > 0, l.domain.Verify == route.VerifyUsers:
		return a.verifyByMap(ctx, l, l.user, l.key)
	case l.Method != authhttp.Plain:
		return tempFail("method %s needs an entry with a password in the map", l.Method)
	}
	return a.verifyUpstream(ctx, l)
}

// verifyMaster checks the master user's password. That the user exists is the map's
// word, or the server's when nginx logs in.
func (a *Authenticator) verifyMaster(ctx context.Context, l *login) verdict {
	if l.Method == authhttp.External {
		return reject(authlog.Policy, "a master user logs in by password")
	}
	master := l.master
	if master != nil && !master.Master {
		master = nil
	}
	v := a.verifyByMap(ctx, l, master, l.masterName)
	if v.outcome == authhttp.OK && l.user == nil && l.domain.Verify == route.VerifyUsers {
		return reject(authlog.UserUnknown, noSuchUser)
	}
	return v
}

const noSuchUser = "no such user in the map"

// verifyByMap checks the password of a name's user. If there is none, or none with a
// password, it takes as long and answers the same as a wrong password for some user of
// the domain; that one is chosen for known users too, because choosing takes time.
func (a *Authenticator) verifyByMap(ctx context.Context, l *login, u *users.User, name string) verdict {
	decoy := a.Users.Decoy(name)
	known := u != nil && len(u.Passwords) > 0
	if !known {
		u = decoy
	}
	if a.Trace != nil {
		a.traceEntry(u, known)
	}
	v := verdict{outcome: authhttp.Reject}
	if u != nil {
		v = a.verifyEntry(ctx, l, u)
	}
	if !known && v.outcome != authhttp.TempFail && v.over == "" {
		return verdict{outcome: authhttp.Reject, reason: authlog.UserUnknown, detail: noSuchUser}
	}
	return v
}

func (a *Authenticator) traceEntry(u *users.User, known bool) {
	if known {
		a.trace("user %s has an entry with %d passwords", u.Name, len(u.Passwords))
	} else {
		a.trace("user has no entry with a password")
	}
}

// verifyEntry tries the passwords of an entry, or remembers how that ended.
func (a *Authenticator) verifyEntry(ctx context.Context, l *login, u *users.User) verdict {
	if a.Cache == nil {
		return a.bounded(l, u, func() verdict { return a.tryPasswords(ctx, l, u) })
	}
	return a.recall(ctx, l, u, entryID(u), func(ctx context.Context, l *login) verdict { return a.tryPasswords(ctx, l, u) })
}

// tryPasswords tries the passwords of an entry, all of them if none is right.
func (a *Authenticator) tryPasswords(ctx context.Context, l *login, u *users.User) verdict {
	release, err := a.turn(ctx, l)
	if err != nil {
		return tempFail("%v", err)
	}
	defer release()
	if v, ok := a.throttle(l); !ok { // others may have failed while this one waited
		return v
	}
	unable := 0
	refusal := verdict{outcome: authhttp.Reject, reason: authlog.PasswordMismatch, detail: "password does not match the entry in the map"}
	begin := time.Now()
	for i := range u.Passwords {
		p := &u.Passwords[i]
		if time.Since(begin) > MaxHashTime || ctx.Err() != nil {
			return tempFail("the hashes take too long: %d of %d passwords were tried", i, len(u.Passwords))
		}
		if a.CountHash != nil {
			a.CountHash()
		}
		ok, err := prove(p.Hash, l)
		switch {
		case errors.Is(err, password.ErrSchemeNotAvailable):
			unable++
		case err != nil:
			return tempFail("%v", err)
		case ok && !isFor(p, l):
			refusal = reject(authlog.Policy, "password %q is not for this protocol", p.Label)
		case ok:
			return verdict{outcome: authhttp.OK, matched: p}
		}
	}
	if unable == len(u.Passwords) {
		return verdict{reason: authlog.SchemeNotAvailable, detail: fmt.Sprintf("method %s cannot be checked against a hash of this scheme", l.Method)}
	}
	return refusal
}

// isFor tells whether a password is good for the client's protocol.
func isFor(p *users.Password, l *login) bool {
	return p.Protocols == nil || slices.Contains(p.Protocols, string(l.Protocol))
}

// prove checks what the client sent in the way of its method.
func prove(h password.Hash, l *login) (bool, error) {
	switch l.Method {
	case authhttp.CRAMMD5:
		return h.VerifyCRAMMD5(l.Salt, l.Password)
	case authhttp.APOP:
		return h.VerifyAPOP(l.Salt, l.Password)
	case authhttp.Plain:
		return h.Verify(l.Password)
	}
	return false, fmt.Errorf("method %s proves nothing by a password", l.Method)
}

func unresolved(s *route.Server) verdict {
	return tempFail("server %q: host %q has not been resolved so far", s.Name, s.Host)
}

// MaxHashTime bounds how long the passwords of one user are tried: the next one is not
// begun after it.
const MaxHashTime = 10 * time.Second
