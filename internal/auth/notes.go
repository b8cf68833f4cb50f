package auth

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
)

// Notes lists what this process knows beyond its configuration that can decide a login: counters that are over their
// limits, servers that are set aside, and remembered answers. A name that is not found is a note too. The notes are
// for a person to read. Nothing changes by them, and no failure is counted.
func (a *Authenticator) Notes(ctx context.Context, user, clientIP string, protocol authhttp.Protocol) []string {
	if err := authhttp.CheckUser(user); err != nil {
		return []string{fmt.Sprintf("%s: %v", authlog.Policy, err)}
	}
	l := &login{Request: authhttp.Request{Method: authhttp.Plain, User: user, Protocol: protocol, ClientIP: clientIP}, start: a.Now()}
	if v, found := a.find(ctx, l); !found {
		return []string{fmt.Sprintf("%s: %s", v.reason, v.detail)}
	}
	if l.passdb != nil && l.passdb.breaker.State() == route.Closed {
		_ = a.findAccount(ctx, l) // after an error the notes are those of the name alone
	}
	return slices.Concat(a.throttleNotes(ctx, l), passdbNotes(l), a.serverNotes(l), a.cacheNotes(l))
}

func (a *Authenticator) throttleNotes(ctx context.Context, l *login) (notes []string) {
	if a.throttle == nil {
		return nil
	}
	counters := a.throttle.Counters(ctx, l.client(), l.account(), a.Now())
	for _, h := range counters {
		if h.Wait == 0 {
			continue
		}
		effect, of := "rejects this login", l.account()
		if a.Throttle.LogOnly {
			effect = "would reject this login without log_only"
		}
		if h.Counter == throttle.Network {
			of = l.ClientIP
		}
		notes = append(notes, fmt.Sprintf("[throttle] %s: %.0f different wrong passwords of this %s, the limit is %d; the next login may be tried in %v; \"mailauthd throttle reset %s\" forgets them",
			effect, h.Count, h.Counter, h.Limit, seconds(h.Wait), of))
	}
	return append(notes, a.countNotes(counters)...)
}

// countNotes tells all counters in one line, and whether they are those of all machines.
func (a *Authenticator) countNotes(counters []throttle.Held) (notes []string) {
	of := "of this machine"
	if redis := a.throttle.SharedBy(); redis != nil {
		of = "of all machines"
		if up, since, err := redis.Up(); !up {
			of = "as far as this machine knows"
			if err == nil {
				err = errors.New("it has not answered yet")
			}
			notes = append(notes, fmt.Sprintf("redis has been set aside for %v: %v; this machine counts for itself", seconds(time.Since(since)), err))
		}
	}
	var counts []string
	for _, h := range counters {
		if n := math.Round(h.Count); n > 0 {
			counts = append(counts, fmt.Sprintf("%s %.0f of %d", h.Counter, n, h.Limit))
		}
	}
	if len(counts) > 0 {
		notes = append(notes, fmt.Sprintf("[throttle] %s wrong passwords, %s", strings.Join(counts, ", "), of))
	}
	return notes
}

func passdbNotes(l *login) []string {
	if l.passdb == nil {
		return nil
	}
	o, down := l.passdb.breaker.Outage()
	if !down {
		return nil
	}
	return []string{fmt.Sprintf("passdb %q has been set aside for %v: %v; a login may try it in %v", l.passdb.Name, seconds(o.Lasted), o.Err, seconds(o.Retry))}
}

func (a *Authenticator) serverNotes(l *login) (notes []string) {
	for _, s := range l.servers {
		if o, down := a.Health.Of(s, string(l.Protocol)).Outage(); down {
			notes = append(notes, fmt.Sprintf("server %q has been set aside for %v, because of %s: %v; a login may try it in %v",
				s.Name, seconds(o.Lasted), s.CheckProtocol(string(l.Protocol)), o.Err, seconds(o.Retry)))
		}
	}
	return notes
}

func (a *Authenticator) cacheNotes(l *login) []string {
	if a.cache == nil {
		return nil
	}
	good, bad := a.cache.Count(l.key, a.Now())
	if good+bad == 0 {
		return nil
	}
	return []string{fmt.Sprintf("[cache] remembers %d right and %d refused passwords of this user; \"mailauthd cache flush %s\" forgets them", good, bad, l.key)}
}

// seconds rounds up, so that what is to happen after the time has happened then.
func seconds(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }
