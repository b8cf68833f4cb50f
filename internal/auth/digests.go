package auth

import (
	"context"
	"crypto/rand"
	"errors"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// digests proves a digest of APOP or CRAM-MD5 by passwords in the map. It needs no slot, because a digest takes
// microseconds, and is not remembered, because no challenge comes twice.
type digests struct {
	a    *Authenticator
	list []users.Password
	from source
}

// proveDigest checks the digest for a name's user. A user that cannot be checked in this way gets the same answer as
// one whose password is wrong, in the same time, because it must not show who has an entry in the map.
func (a *Authenticator) proveDigest(ctx context.Context, at *attempt, from source, entry *users.User, name string) verdict {
	d := digests{a: a, from: from}
	u, known := a.entryOrDecoy(from, entry, name)
	if u != nil {
		d.list = u.Passwords
	}
	v := d.prove(ctx, at)
	switch {
	case known:
		return v
	case at.bind != nil && entry != nil && at.masterName == "":
		return reject(authlog.SchemeNotAvailable, "method %s cannot be proved by a bind at %s", at.Method, from.name)
	case at.domain.Verify != route.VerifyUpstream || at.masterName != "":
		return reject(authlog.UserUnknown, "%s", from.noSuchUser())
	}
	return reject(authlog.SchemeNotAvailable, "method %s needs a password in the map, or a hash in the passdb", at.Method)
}

// prove compares the digest with all passwords.
func (d digests) prove(_ context.Context, at *attempt) verdict {
	v := reject(authlog.SchemeNotAvailable, "method %s cannot be checked against a hash of this scheme", at.Method)
	if len(d.list) == 0 {
		_, _ = verifyDigest(d.a.noDigest, at.login)
	}
	for i := range d.list {
		p := &d.list[i]
		ok, err := verifyDigest(p.Hash, at.login)
		switch {
		case errors.Is(err, password.ErrSchemeNotAvailable):
			_, _ = verifyDigest(d.a.noDigest, at.login)
		case err != nil:
			return tempFail("%v", err)
		case v.outcome == authhttp.OK:
		case ok && isFor(p, at.login):
			v = verdict{outcome: authhttp.OK, matched: p}
		case ok:
			v = reject(authlog.Policy, "password %q is not for this protocol", p.Label)
		case v.reason == authlog.SchemeNotAvailable:
			v = reject(authlog.PasswordMismatch, mismatch, d.from.name)
		}
	}
	return v
}

// verifyDigest checks what the client sent in the way of its method.
func verifyDigest(h password.Hash, l *login) (bool, error) {
	if l.Method == authhttp.APOP {
		return h.VerifyAPOP(l.Salt, l.Password)
	}
	return h.VerifyCRAMMD5(l.Salt, l.Password)
}

// newNoDigest makes a random password. A digest that cannot be checked is compared with it, so that the refusal takes
// as long as others.
func newNoDigest() password.Hash {
	h, _ := password.Policy{}.Parse("{PLAIN}"+rand.Text(), "") // cannot fail
	return h
}
