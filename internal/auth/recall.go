package auth

import (
	"context"
	"encoding/binary"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/users"
)

// recall answers from memory where it can, else by ask, and remembers whether the
// password was right. The judge stands for all that ask goes by, but for the login itself;
// u is the entry whose passwords are tried, nil if a server is asked.
func (a *Authenticator) recall(ctx context.Context, l *login, u *users.User, judge string, ask func(context.Context, *login) verdict) verdict {
	if a.Cache == nil || l.Method != authhttp.Plain {
		return a.bounded(l, u, func() verdict { return ask(ctx, l) })
	}
	key := a.Cache.Key(judge, l.key, string(l.Protocol), l.Password)
	known, found := a.Cache.Lookup(key, l.key, a.Now())
	if found == cache.Hit {
		return remembered(l, u, known, "hit")
	}
	own, together := *l, key // the decision may outlive the request
	if u != nil {
		together = a.Cache.Key(string(key[:]), l.ClientIP) // the throttle may reject one client and not another
	}
	v := a.bounded(l, u, func() verdict {
		answer, err := a.Cache.Once(ctx, together, func(ctx context.Context) any { return a.askAndStore(ctx, &own, u, key, ask) })
		if err != nil {
			return tempFail("%v", err)
		}
		return answer.(verdict)
	})
	if v.outcome == authhttp.TempFail && found == cache.Stale {
		a.trace("%s; the password was right before, and counts for cache.stale_ttl more", v.detail)
		return remembered(l, u, known, "stale")
	}
	return v
}

// askAndStore runs apart from the request, so a panic must end here.
func (a *Authenticator) askAndStore(ctx context.Context, l *login, u *users.User, key cache.Key, ask func(context.Context, *login) verdict) verdict {
	epoch := a.Cache.Epoch()
	v := safely(func() verdict { return ask(ctx, l) })
	switch {
	case v.outcome == authhttp.OK:
		a.Cache.Store(key, l.key, cache.Answer{Good: true, Password: indexOf(u, v.matched)}, epoch, a.Now())
	case v.outcome == authhttp.Reject && v.reason == authlog.PasswordMismatch:
		a.Cache.Store(key, l.key, cache.Answer{}, epoch, a.Now())
	}
	return v
}

// remembered is the verdict of an answer from memory.
func remembered(l *login, u *users.User, known cache.Answer, how string) verdict {
	if !known.Good {
		v := reject(authlog.PasswordMismatch, "password was wrong before")
		v.cached = how
		return v
	}
	v := verdict{outcome: authhttp.OK, cached: how}
	if u != nil {
		v.matched = &u.Passwords[known.Password]
		if !isFor(v.matched, l) {
			return reject(authlog.Policy, "password %q is not for this protocol", v.matched.Label)
		}
	}
	return v
}

func indexOf(u *users.User, p *users.Password) int {
	for i := 0; u != nil && i < len(u.Passwords); i++ {
		if &u.Passwords[i] == p {
			return i
		}
	}
	return 0
}

// entryID stands for the passwords of an entry, in their order.
func entryID(u *users.User) string {
	id := []byte("entry ")
	for i := range u.Passwords {
		id = binary.BigEndian.AppendUint64(id, u.Passwords[i].Hash.ID())
	}
	return string(id)
}
