package auth

import (
	"context"
	"crypto/rand"
	"strconv"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/limit"
)

// binds proves a password by a bind at the passdb that the login's user is in.
type binds struct{ a *Authenticator }

// proveBind binds as the user, unless the answer is remembered.
func (a *Authenticator) proveBind(ctx context.Context, at *attempt) verdict {
	b := bounded{a, binds{a}, at.passdb.slots, at.passdb.Timeout, "bind at passdb " + strconv.Quote(at.passdb.Name) + ", max_connections"}
	return a.remembered(ctx, at, b)
}

func (b binds) callers() *limit.Group { return b.a.asking }

// scope identifies the user at the passdb, as it is configured. The passdb does not tell whether the password has changed.
func (b binds) scope(at *attempt) string { return "bind " + at.passdb.id + " " + at.key }

// prove binds once. For a login that the rules refuse it binds with a random password, so that the time does not depend
// on the client's.
func (b binds) prove(ctx context.Context, at *attempt) verdict {
	password := at.Password
	if at.keptOut() {
		password = rand.Text()
	}
	reason, detail, err := at.bind(ctx, password)
	switch {
	case err != nil:
		return tempFail("%v", err)
	case at.keptOut():
		return *at.refusal
	case reason != "":
		return reject(reason, "passdb %q: %s", at.passdb.Name, detail)
	}
	return verdict{outcome: authhttp.OK}
}
