package auth

import (
	"context"
	"errors"

	"mailauthd/internal/authhttp"
)

// watchdogUser is a user that cannot exist (RFC 2606 section 2).
const watchdogUser = "watchdog@watchdog.invalid"

// Alive takes the way of a login, as far as it changes nothing and asks no mail server and no database. Redis is asked if
// the counters are shared, and nothing depends on its answer. Alive does not return while a part of the way is blocked.
func (a *Authenticator) Alive(ctx context.Context) error {
	l := &login{Request: authhttp.Request{Method: authhttp.Plain, User: watchdogUser, Protocol: authhttp.IMAP}, start: a.Now()}
	v := safely(func() verdict {
		v, _ := a.find(ctx, l)
		a.askThrottle(ctx, l)
		if a.cache != nil {
			a.cache.Count(watchdogUser, a.Now())
		}
		return v
	})
	if v.outcome == authhttp.TempFail {
		return errors.New(v.detail)
	}
	return nil
}
