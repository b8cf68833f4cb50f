package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"strings"
	"time"

	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/users"
)

// Passdb is a database of users. The domains whose verify names it have their users there.
type Passdb struct {
	Name      string
	Directory users.Directory

	// Lookup finds a user as Directory does, and how to prove the password at the database. It is nil if the passwords are
	// proved by their hashes. The Bind is not nil without an error, also for a name that has no user.
	Lookup func(ctx context.Context, name string) (*users.User, Bind, error)

	// HasDomain reports whether a domain is one of ours, for the domain "*". It is nil if that is not known.
	HasDomain func(ctx context.Context, domain string) (bool, error)

	MaxConnections int              // the largest number of queries at a time
	Timeout        time.Duration    // of a query, and of the wait for a slot before it
	IsOutage       func(error) bool // whether an error is that of the database, and not of one user's values
	Settings       any              // two with equal settings are the same
	Close          func()

	// Watch is called before the first lookup. Report is to be called when a server of the database is set aside, and when
	// it is used again. Watch is nil if the database has no such servers.
	Watch func(report func(route.Change))
}

// Bind proves a password at a database, such as an LDAP directory. The reason is empty if the password is right, and else
// one of a rejection. The detail is for the log. An error means that the password was not checked.
type Bind func(ctx context.Context, password string) (reason authlog.Reason, detail string, err error)

// passdb is a Passdb with what bounds it.
type passdb struct {
	*Passdb
	source  source
	slots   *limit.Limiter
	breaker *route.Breaker
	id      string // random; a reload keeps it while the passdb is configured as before
}

// watch makes a new breaker, and reports its changes and those of the database's own servers.
func (p *passdb) watch(report func(route.Change)) {
	p.breaker = route.NewBreaker(p.Name, "passdb", report)
	if p.Watch != nil {
		p.Watch(report)
	}
}

// PassdbInUse is a Passdb with its state.
type PassdbInUse struct {
	*Passdb
	breaker *route.Breaker
}

// SetAside reports whether the passdb is set aside because it did not answer.
func (p PassdbInUse) SetAside() bool { return p.breaker.State() != route.Closed }

// Seen returns what was seen of the passdb.
func (p PassdbInUse) Seen() route.Seen { return p.breaker.Seen() }

// PassdbsInUse yields the passdbs by name.
func (a *Authenticator) PassdbsInUse() iter.Seq2[string, PassdbInUse] {
	return func(yield func(string, PassdbInUse) bool) {
		for name, p := range a.passdbs {
			if !yield(name, PassdbInUse{p.Passdb, p.breaker}) {
				return
			}
		}
	}
}

// addPassdb makes a passdb whose queries wait for slots like checks at mail servers.
func (a *Authenticator) addPassdb(p *Passdb) {
	n := p.MaxConnections
	a.passdbs[p.Name] = &passdb{
		Passdb: p,
		source: source{p.Directory, fmt.Sprintf("passdb %q", p.Name)},
		slots:  a.asking.NewLimiter(limit.Config{Slots: n, Reserved: (n + 3) / 4, Waiting: MaxWaiting}),
		id:     rand.Text(),
	}
}

// findInPassdb finds the login's user in the passdb of the domain, unless the map has the user's password. It is called
// after the throttle has allowed the login, so that a guess costs no query. The throttle is asked again if the login has
// waited, and if the name is an alias, because failures count for its user. Nothing changes the login after that.
func (a *Authenticator) findInPassdb(ctx context.Context, l *login, standing throttle.Verdict) (throttle.Verdict, verdict, bool) {
	if l.passdb == nil {
		return standing, verdict{}, true
	}
	sent := l.key
	waited, v, ok := a.queryPassdb(ctx, l, a.limitClient(l, standing))
	if !ok {
		return standing, v, false
	}
	if l.asked = waited || l.key != sent; l.asked {
		if standing = a.askThrottle(ctx, l); !standing.Allowed {
			return standing, throttled(standing), false
		}
	}
	return standing, verdict{}, true
}

// queryPassdb makes the user in the passdb the entry of the login, and finds the servers. It reports whether the login has
// waited for a slot.
func (a *Authenticator) queryPassdb(ctx context.Context, l *login, client limit.Client) (waited bool, v verdict, ok bool) {
	slot, err := l.passdb.slots.Acquire(ctx, l.passdb.Timeout, client)
	if err != nil {
		return false, tempFail("no slot to ask passdb %q, max_connections = %d: %v", l.passdb.Name, l.passdb.slots.Config().Slots, err), false
	}
	defer slot.Release()
	// Not before the slot: logins that wait behind queries without an answer must not send one more each.
	ticket, allowed := l.passdb.breaker.Allow()
	if !allowed {
		return slot.Waited, tempFail("passdb %q is set aside because it did not answer", l.passdb.Name), false
	}
	defer ticket.Drop()
	v, ok = a.askPassdb(ctx, l, ticket)
	return slot.Waited, v, ok
}

// askPassdb has one lookup, and tells the breaker how it ended.
func (a *Authenticator) askPassdb(ctx context.Context, l *login, ticket route.Ticket) (verdict, bool) {
	begin := time.Now()
	found, ours, err := l.passdb.lookup(ctx, l)
	switch {
	case err == nil:
		l.passdb.breaker.Took(time.Since(begin))
		ticket.Answered()
	case ctx.Err() == nil && l.passdb.IsOutage(err):
		ticket.Failed(err)
	}
	if err == nil && found != nil {
		err = a.adopt(ctx, l, found)
	}
	switch {
	case err != nil:
		return tempFail("%v", err), false
	case !ours:
		return reject(authlog.UserUnknown, "passdb %q does not have the domain", l.passdb.Name), false
	}
	a.route(l, a.serversOf(l))
	return verdict{}, true
}

// lookup finds the user of the login's name, or else of the name without its extension. It also reports whether the domain
// is one of ours.
func (p *passdb) lookup(ctx context.Context, l *login) (found *users.User, ours bool, err error) {
	if l.domain.Name == route.AnyDomain && p.HasDomain != nil {
		_, domain := mailaddr.Split(l.key)
		if ours, err = p.HasDomain(ctx, domain); err != nil || !ours {
			return nil, false, err
		}
	}
	name := l.sent
	if l.entry != nil { // an alias in the map
		name = l.key
	}
	found, err = p.find(ctx, l, name)
	if base, cut := mailaddr.CutExtension(name, l.domain.RecipientDelimiter); cut && err == nil {
		whole, bind := found, l.bind
		if found, err = p.find(ctx, l, base); whole != nil { // asked always, so that the time does not tell
			found, l.bind = whole, bind
		}
	}
	return found, true, err
}

func (p *passdb) find(ctx context.Context, l *login, name string) (found *users.User, err error) {
	if p.Lookup == nil {
		return p.Directory.Find(ctx, name)
	}
	found, l.bind, err = p.Lookup(ctx, name)
	return found, err
}

// adopt makes a user of the passdb the login's entry. The map may have an entry for the same user, which the login's name
// need not be that of. If that entry has a password, it is the one that counts. If not, what it sets goes before what the
// database says.
func (a *Authenticator) adopt(ctx context.Context, l *login, found *users.User) (err error) {
	inMap := l.entry
	if inMap == nil { // the name may be an alias that only the database knows
		if inMap, err = a.Directory.Find(ctx, found.Name); err != nil {
			return err
		}
	}
	if inMap != nil && len(inMap.Passwords) > 0 {
		l.entry, l.key, l.passdb, l.bind = inMap, inMap.Name, nil, nil
		return nil
	}
	set := found.Settings() // a copy, because the passdb may keep the user
	if len(set.Servers) > 0 {
		s := a.serverOf(set.Servers[0])
		if s == nil {
			return fmt.Errorf("passdb %q: user %q: field host: no server in [servers] has this name or this host", l.passdb.Name, found.Name)
		}
		set.Servers = []string{s.Name}
	}
	if inMap != nil {
		m := inMap.Settings()
		set.Access = m.Access.Under(set.Access)
		set.Fingerprints, set.Subjects = m.Fingerprints, m.Subjects
		set.Login, set.UpstreamPassword = cmp.Or(m.Login, set.Login), cmp.Or(m.UpstreamPassword, set.UpstreamPassword)
		if len(m.Servers) > 0 {
			set.Servers = m.Servers
		}
	}
	if a.Trace != nil {
		a.trace("passdb %s: user %s has %d passwords, servers %q, login %q", l.passdb.Name, found.Name, len(found.Passwords), set.Servers, set.Login)
	}
	l.entry, l.key = &users.User{Name: found.Name, Passwords: found.Passwords, Extra: &set}, found.Name
	return nil
}

// serverOf returns the server with a name, or else with a host.
func (a *Authenticator) serverOf(host string) *route.Server {
	if s := a.servers[host]; s != nil {
		return s.Server
	}
	for _, s := range a.Servers {
		if strings.EqualFold(s.Host, host) {
			return s
		}
	}
	return nil
}

// source is a directory with its name for the log: "the map", or that of a passdb.
type source struct {
	users.Directory
	name string
}

func (a *Authenticator) userMap() source { return source{a.Directory, "the map"} }

// source returns where the login's user is looked for.
func (a *Authenticator) source(l *login) source {
	if l.passdb != nil {
		return l.passdb.source
	}
	return a.userMap()
}

func (s source) noSuchUser() string { return "no such user in " + s.name }
