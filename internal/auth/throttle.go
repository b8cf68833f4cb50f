package auth

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
)

// throttle rejects a login whose network or user has failed too often.
func (a *Authenticator) throttle(l *login) (verdict, bool) {
	if a.Throttle == nil {
		return verdict{}, true
	}
	l.throttled = a.Throttle.Check(l.client(), l.guessed(), a.Now())
	if !l.throttled.Allowed {
		v := reject(authlog.Policy, "throttle: too many wrong passwords of this %s", l.throttled.Over)
		v.over = l.throttled.Over
		return v, false
	}
	return verdict{}, true
}

// throttled is the error of a login that the throttle rejects when its turn has come at a mail server.
type throttled struct{ verdict }

func (t throttled) Error() string { return t.detail }

// stillAllowed asks the throttle again: others may have failed while this login waited.
func (a *Authenticator) stillAllowed(l *login) error {
	if v, ok := a.throttle(l); !ok {
		return throttled{v}
	}
	return nil
}

// countFailure counts refusals, but for the throttle's own: wrong passwords, users that do not exist, and
// right passwords of those who may not log in, or the penalty would tell one from the other.
func (a *Authenticator) countFailure(l *login, v verdict) {
	if a.Throttle == nil || v.outcome != authhttp.Reject || v.over != "" || l.Method == authhttp.External {
		return
	}
	password := l.Password
	if l.domain == nil {
		password = l.User + "\x00" + password
	}
	a.Throttle.Fail(l.client(), l.guessed(), password, a.Now())
}

func (a *Authenticator) countSuccess(l *login, v verdict) {
	if a.Throttle != nil && v.outcome == authhttp.OK && l.Method != authhttp.External {
		a.Throttle.Succeed(l.client(), l.guessed(), a.Now())
	}
}

// Forgive takes back what the throttle counts of a client's address, or of a user by any
// of the user's names, and tells how many counters were forgotten.
func (a *Authenticator) Forgive(userOrAddress string) (counters int, err error) {
	if client, err := netip.ParseAddr(userOrAddress); err == nil {
		return a.Throttle.ForgetNetwork(client, a.Now()), nil
	}
	key, _, err := a.lookup(a.complete(userOrAddress))
	if err != nil {
		return 0, err
	}
	return a.Throttle.ForgetUser(key, a.Now()), nil
}

// guessed is whose password this is about.
func (l *login) guessed() string {
	switch {
	case l.domain == nil:
		return nobody(l.User)
	case l.masterName != "":
		return l.masterName
	}
	return l.key
}

// nobodies bounds the counters of names that nobody here can have: they cost us nothing, so the
// throttle holds back none, and a flood of them is not to push out the counters of others.
const nobodies = 64

func nobody(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return fmt.Sprintf("@%d", h.Sum32()%nobodies)
}

// client is the zero Addr if nginx said no address.
func (l *login) client() netip.Addr {
	addr, _ := netip.ParseAddr(l.ClientIP)
	return addr
}

// MaxWaits is from which attempt on nginx is not told to wait, but closes the
// connection: it keeps memory for each attempt until then.
const MaxWaits = 10

// wait is how long nginx is to hold back the refusal. Never with a method other than plain:
// before 1.29.7 nginx discloses memory after cram-md5 and apop, and crashes with
// none (CVE-2025-53859, CVE-2026-27651).
func (a *Authenticator) wait(l *login, v verdict) time.Duration {
	if !a.AuthWait || v.outcome != authhttp.Reject || l.Method != authhttp.Plain || l.Attempt < 1 || l.Attempt >= MaxWaits {
		return 0
	}
	return l.throttled.Penalty
}
