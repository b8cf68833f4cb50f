package auth

import (
	"context"
	"fmt"
	"sync"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
)

// remembered answers from the cache if it can, or else by the verifier. It stores a refusal at once, and a right
// password only when the login is let in: see [Authenticator.remember]. A login that the rules keep out is
// remembered as refused whatever its password is, so that a right one takes as long as a wrong one, also the
// next time. The rules are part of the key, so such an answer does not outlive them.
func (a *Authenticator) remembered(ctx context.Context, at *attempt, by costly) verdict {
	if a.cache == nil {
		return by.prove(ctx, at)
	}
	rule := ""
	if at.keptOut() {
		rule = at.refusal.detail
	}
	key := a.cache.Key(by.scope(at), rule, at.sent, string(at.Protocol), at.Password)
	known, found := a.cache.Lookup(key, a.Now())
	if found == cache.Hit {
		return recalled(known, "hit", rule)
	}
	v := a.proveOnce(ctx, at, key, by)
	if v.contact != unreachable || found != cache.Stale {
		return v
	}
	if known, found = a.cache.Lookup(key, a.Now()); found == cache.Stale { // it may have been flushed meanwhile
		a.trace("%s; the password was right before, and counts for cache.stale_ttl more", v.detail)
		return recalled(known, "stale", rule)
	}
	return v
}

// proveOnce proves one of several concurrent logins that the verifier, the throttle and the limits treat alike. The others
// wait for its verdict. A flush of the cache begins a new proof.
func (a *Authenticator) proveOnce(ctx context.Context, at *attempt, key cache.Key, by costly) verdict {
	epoch := a.cache.Epoch()
	same := fmt.Sprint(string(key[:]), epoch, at.client)
	join := func(done <-chan struct{}) error { return by.callers().Join(ctx, at.client, done) }
	proveAndStore := func(ctx context.Context) verdict {
		v := by.prove(ctx, at)
		if v.outcome == authhttp.OK && !at.keptOut() {
			v.pending = &pending{key, cache.Answer{Good: true, Password: v.index, Reply: v.reply}, epoch}
			return v
		}
		if refusal := at.ruled(v); refusal.outcome == authhttp.Reject && !refusal.throttled {
			a.cache.Store(key, at.key, cache.Answer{Reason: string(refusal.reason)}, epoch, a.Now())
		}
		return v
	}
	return a.shared.prove(ctx, same, join, func(ctx context.Context) verdict {
		return safely(func() verdict { return proveAndStore(ctx) }) // no other recover is below this goroutine
	})
}

// remember stores the right password of a login that has succeeded.
func (a *Authenticator) remember(l *login, v verdict) {
	if p := v.pending; p != nil {
		a.cache.Store(p.key, l.key, p.answer, p.epoch, a.Now())
	}
}

// recalled returns the verdict for an answer from the cache. The rule is the one that refuses the login, if any.
func recalled(known cache.Answer, how, rule string) verdict {
	if known.Good {
		return verdict{outcome: authhttp.OK, cached: how, index: known.Password, reply: known.Reply}
	}
	v := verdict{outcome: authhttp.Reject, reason: authlog.Reason(known.Reason), detail: "was refused before", cached: how}
	if v.reason != authlog.PasswordMismatch && v.reason != authlog.UserUnknown && rule != "" {
		v.detail = rule
	}
	return v
}

// FlushCache removes the remembered answers for users that match, and returns how many there were. It returns false if
// there is no cache.
func (a *Authenticator) FlushCache(match func(user string) bool) (answers int, ok bool) {
	if a.cache == nil {
		return 0, false
	}
	return a.cache.Flush(match), true
}

// CacheLen returns the numbers of right and refused passwords that are remembered.
func (a *Authenticator) CacheLen() (good, bad int) {
	if a.cache == nil {
		return 0, 0
	}
	return a.cache.Len()
}

// shared lets logins with the same key wait for one proof.
type shared struct {
	mu     sync.Mutex
	proofs map[string]*sharedProof
}

// sharedProof is a proof that is under way.
type sharedProof struct {
	done    chan struct{} // closed with the verdict
	verdict verdict
	logins  int                // that wait for the proof
	cancel  context.CancelFunc // called when none waits any more
}

func newShared() *shared { return &shared{proofs: make(map[string]*sharedProof)} }

// prove runs prove for the first of the logins with the same key. The others join it and get the same verdict. The proof
// goes on if the context of the first login ends, and is stopped when no login waits for it any more. It must not
// panic. The function join waits until its channel is closed; the first login does not need it.
func (s *shared) prove(ctx context.Context, key string, join func(done <-chan struct{}) error, prove func(context.Context) verdict) verdict {
	s.mu.Lock()
	p, joins := s.proofs[key]
	if !joins {
		p = &sharedProof{done: make(chan struct{})}
		var own context.Context
		own, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
		s.proofs[key] = p
		go func() {
			p.verdict = prove(own)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.forget(key, p) // a login that comes now is proved anew
			close(p.done)
		}()
	}
	p.logins++
	s.mu.Unlock()
	defer s.leave(key, p)
	var err error
	if joins {
		err = join(p.done)
	} else {
		select {
		case <-p.done:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return tempFail("same login as one that is not answered yet: %v", err)
	}
	return p.verdict
}

// leave stops a proof that no login waits for, and forgets it: the next login is not to get one that was stopped.
func (s *shared) leave(key string, p *sharedProof) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.logins--; p.logins == 0 {
		s.forget(key, p)
		p.cancel()
	}
}

// forget is called with mu held.
func (s *shared) forget(key string, p *sharedProof) {
	if s.proofs[key] == p {
		delete(s.proofs, key)
	}
}
