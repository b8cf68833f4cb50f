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
	"mailauthd/internal/redisdb"
	"mailauthd/internal/throttle"
)

// askThrottle asks the throttle whether a login may be tried. No other function asks it.
func (a *Authenticator) askThrottle(ctx context.Context, l *login) throttle.Verdict {
	if a.throttle == nil {
		return throttle.Verdict{Allowed: true}
	}
	return a.throttle.Allow(ctx, l.client(), l.account(), a.Now())
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
func (a *Authenticator) countFailure(ctx context.Context, l *login, v verdict) {
	if a.throttle == nil || v.outcome != authhttp.Reject || v.throttled || l.Method == authhttp.External {
		return
	}
	password := l.Password
	if l.domain == nil {
		password = l.User + "\x00" + password
	}
	if l.passdb != nil && !l.asked && a.throttle.SharedBy() != nil {
		a.askThrottle(ctx, l) // as for an alias that the passdb has, because the time of a round trip would tell of it
	}
	a.throttle.Fail(ctx, l.client(), l.account(), password, a.Now())
}

func (a *Authenticator) countSuccess(ctx context.Context, l *login) {
	if a.throttle != nil && l.Method != authhttp.External {
		a.throttle.Succeed(ctx, l.client(), l.account(), a.Now())
	}
}

// Share makes the counters those of all machines, if [throttle] shared is set. It is called before Inherit.
func (a *Authenticator) Share(db *redisdb.Client) {
	if a.Throttle != nil && a.Throttle.Shared && db != nil {
		a.throttle, _ = throttle.NewShared(*a.Throttle, db, a.Now()) // package config has validated it
	}
}

// Held returns the counters that have refused logins and are over their limits, and the numbers of failures and successes
// that wait for Redis or were dropped.
func (a *Authenticator) Held() (held []throttle.Held, unsent, dropped int) {
	if a.throttle == nil {
		return nil, 0, 0
	}
	unsent, dropped = a.throttle.Unsent()
	return a.throttle.Held(a.Now()), unsent, dropped
}

// HeldBy returns the counters of a user, or of a client's address: see [throttle.Throttle.HeldUser].
func (a *Authenticator) HeldBy(ctx context.Context, userOrAddress string) ([]throttle.Held, error) {
	client, isClient, err := a.parseClient(userOrAddress)
	switch {
	case err != nil:
		return nil, err
	case isClient:
		return a.throttle.HeldNetwork(ctx, client, a.Now()), nil
	}
	account, err := a.findAccountOf(ctx, userOrAddress)
	if err != nil {
		return nil, err
	}
	return a.throttle.HeldUser(ctx, account, a.Now()), nil
}

// Throttles reports whether failures are counted.
func (a *Authenticator) Throttles() bool { return a.throttle != nil }

// Forgive removes the counts of a client's address, or of a user by any of the user's names, and returns the number of
// counters.
func (a *Authenticator) Forgive(ctx context.Context, userOrAddress string) (counters int, err error) {
	client, isClient, err := a.parseClient(userOrAddress)
	switch {
	case err != nil:
		return 0, err
	case isClient:
		counters, err := a.throttle.ForgetNetwork(ctx, client, a.Now())
		return counters, a.announceForgiven(ctx, client.String(), err)
	}
	account, err := a.findAccountOf(ctx, userOrAddress)
	if err != nil {
		return 0, err
	}
	counters, err = a.throttle.ForgetUser(ctx, account, a.Now())
	return counters, a.announceForgiven(ctx, account, err)
}

// parseClient reports whether a word is a client's address, or a network as counters are named after it. The address that
// it returns is in that network. A larger network is an error, because it has many counters.
func (a *Authenticator) parseClient(word string) (client netip.Addr, isClient bool, err error) {
	if client, err := netip.ParseAddr(word); err == nil {
		return client, true, nil
	}
	network, err := netip.ParsePrefix(word)
	if err != nil {
		return netip.Addr{}, false, nil
	}
	if bits := a.throttle.PrefixOf(network.Addr()); network.Bits() < bits {
		return netip.Addr{}, false, fmt.Errorf("%s: clients are counted by networks of /%d: want one of them, or an address", network, bits)
	}
	return network.Addr(), true, nil
}

// findAccountOf returns the account whose failures are counted for a name, which may be an alias.
func (a *Authenticator) findAccountOf(ctx context.Context, user string) (string, error) {
	name, err := a.Canonical(user)
	if err != nil {
		return "", err
	}
	l := &login{name: name}
	if v, ok := a.findUser(ctx, l); !ok && v.outcome == authhttp.TempFail {
		return "", errors.New(v.detail)
	}
	if err := a.findAccount(ctx, l); err != nil {
		return "", err
	}
	return l.key, nil
}

// TopicForgiven is the topic of the announcement that the counts of an account or of a client's address are removed.
const TopicForgiven = "forgiven"

// announceForgiven tells the other machines what they must not count any more. The error is that of forgetting in Redis.
func (a *Authenticator) announceForgiven(ctx context.Context, of string, err error) error {
	if a.throttle.SharedBy() == nil {
		return nil
	}
	err = errors.Join(err, a.throttle.SharedBy().Announce(ctx, TopicForgiven, of))
	if err != nil {
		return fmt.Errorf("only this machine has forgotten, because of Redis: try again when it answers: %w", err)
	}
	return nil
}

// ForgiveHere removes what this machine alone has counted of an account or of a client's address, as another machine has
// announced.
func (a *Authenticator) ForgiveHere(of string) {
	if a.throttle == nil {
		return
	}
	if client, err := netip.ParseAddr(of); err == nil {
		a.throttle.ForgetNetworkHere(client, a.Now())
		return
	}
	a.throttle.ForgetUserHere(of, a.Now())
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
