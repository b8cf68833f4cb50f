package auth

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/throttle"
)

// askThrottle asks the throttle whether a login may be tried. No other function asks it.
func (a *Authenticator) askThrottle(l *login) throttle.Verdict {
	if a.throttle == nil {
		return throttle.Verdict{Allowed: true}
	}
	return a.throttle.Allow(l.client(), l.account(), a.Now())
}

// throttled rejects a login whose network or user has failed too often.
func throttled(standing throttle.Verdict) verdict {
	v := reject(authlog.Policy, "throttle: too many wrong passwords of this %s", standing.Over)
	v.throttled, v.standing = true, standing
	return v
}

// limitClient returns the client for package limit. Without a throttle all networks are known.
func (a *Authenticator) limitClient(l *login, standing throttle.Verdict) limit.Client {
	if a.throttle == nil {
		return a.limitSender(l)
	}
	return limit.Client{Network: standing.Network, Known: standing.Known, Trusted: standing.Trusted}
}

// limitSender returns the client of mail from outside for package limit. The throttle is not asked about mail, so it knows
// no network of a sender.
func (a *Authenticator) limitSender(l *login) limit.Client {
	config := throttle.Defaults()
	if a.Throttle != nil {
		config = *a.Throttle
	}
	network, trusted := config.Network(l.client())
	return limit.Client{Network: network, Known: trusted || a.throttle == nil, Trusted: trusted}
}

// countFailure counts a rejection, unless it is by the throttle itself: a wrong password, a user that does not exist, or
// a right password of a user who may not log in. All count, because otherwise the penalty would reveal the reason.
func (a *Authenticator) countFailure(l *login, v verdict) {
	if a.throttle == nil || v.outcome != authhttp.Reject || v.throttled || l.Method == authhttp.External {
		return
	}
	password := l.Password
	if l.domain == nil {
		password = l.User + "\x00" + password
	}
	a.throttle.Fail(l.client(), l.account(), password, a.Now())
}

func (a *Authenticator) countSuccess(l *login) {
	if a.throttle != nil && l.Method != authhttp.External {
		a.throttle.Succeed(l.client(), l.account(), a.Now())
	}
}

// Throttles reports whether failures are counted.
func (a *Authenticator) Throttles() bool { return a.throttle != nil }

// Forgive removes the counts of a client's address, or of a user by any of the user's names, and returns the number of
// counters.
func (a *Authenticator) Forgive(ctx context.Context, userOrAddress string) (counters int, err error) {
	if client, err := netip.ParseAddr(userOrAddress); err == nil {
		return a.throttle.ForgetNetwork(client, a.Now()), nil
	}
	name, err := a.Canonical(userOrAddress)
	if err != nil {
		return 0, err
	}
	l := &login{name: name}
	if v, ok := a.findUser(ctx, l); !ok && v.outcome == authhttp.TempFail {
		return 0, errors.New(v.detail)
	}
	if err := a.findAccount(ctx, l); err != nil {
		return 0, err
	}
	return a.throttle.ForgetUser(l.key, a.Now()), nil
}

// findAccount finds the user of a name that may be an alias in a passdb, to show or to reset what is counted.
func (a *Authenticator) findAccount(ctx context.Context, l *login) error {
	if l.passdb == nil {
		return nil
	}
	found, _, err := l.passdb.lookup(ctx, l)
	if err == nil && found != nil {
		l.key = found.Name
	}
	return err
}

// account returns the name whose password the login tries.
func (l *login) account() string {
	switch {
	case l.domain == nil:
		return unlisted(l.User)
	case l.masterName != "":
		return l.masterName
	}
	return l.key
}

// unlistedKeys is the largest number of counters for names whose domain is not listed. A flood of such names must not
// evict the counters of others. Several names may share a counter, because refusing them costs nothing.
const unlistedKeys = 64

// unlisted returns the throttle's key for a name whose domain is not listed.
func unlisted(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return fmt.Sprintf("@%d", h.Sum32()%unlistedKeys)
}

// client returns the client's address. It is the zero Addr if nginx sent none.
func (l *login) client() netip.Addr {
	addr, _ := netip.ParseAddr(l.ClientIP)
	return addr
}

// MaxWaits is the attempt from which on nginx is not told to wait, so that it closes the connection. Until then nginx
// keeps memory for each attempt.
const MaxWaits = 10

// MayWait reports whether nginx can be told to delay a refusal. It cannot with methods other than plain: nginx before
// 1.29.1 discloses memory after none (CVE-2025-53859), and nginx before 1.29.7 crashes after cram-md5 and apop
// (CVE-2026-27651).
func MayWait(r *authhttp.Request) bool {
	return r.Method == authhttp.Plain && r.Attempt >= 1 && r.Attempt < MaxWaits
}

// authWait returns how long nginx should delay the refusal.
func (a *Authenticator) authWait(l *login, v verdict) time.Duration {
	if !a.AuthWait || v.outcome != authhttp.Reject || !MayWait(&l.Request) {
		return 0
	}
	return v.standing.Penalty
}
