package auth

import (
	"context"
	"fmt"
	"net/netip"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/limit"
	"mailauthd/internal/route"
)

// Target is where the logins of a user go, and why.
type Target struct {
	User    string // whose entry counts, in canonical form
	Domain  *route.Domain
	Passdb  string          // where the user was looked up; empty: nowhere
	Servers []*route.Server // in the order in which they are tried
	Of      string          // what the servers belong to: OfUser, OfPassdb or OfDomain
	Addr    netip.Addr      // of the first server; not valid if its name has no address
	Login   string          // the user's name at the server
	Rules   access.Rules    // of the user, the domain and [auth]
	Unknown string          // why there is nothing to prove a login by; empty: there is
}

// What names the servers of a target.
const (
	OfUser   = "user"   // the user's entry in the map
	OfPassdb = "passdb" // the field host
	OfDomain = "domain"
)

// Target finds where the logins of a user go, as a login would be, but proves nothing and counts nothing.
func (a *Authenticator) Target(ctx context.Context, user string) (Target, error) {
	if err := authhttp.CheckUser(user); err != nil {
		return Target{}, err
	}
	l := &login{Request: authhttp.Request{Method: authhttp.Plain, User: user}, start: a.Now()}
	v, found := a.find(ctx, l)
	if found && l.passdb != nil {
		_, v, found = a.queryPassdb(ctx, l, limit.Client{Known: true})
	}
	if !found {
		return Target{}, fmt.Errorf("%s: %s", v.reason, v.detail)
	}
	t := Target{
		User:    l.key,
		Domain:  l.domain,
		Servers: l.servers,
		Of:      a.ownerOfServers(ctx, l),
		Addr:    l.addr,
		Login:   l.serverLogin(),
		Rules:   a.rulesOf(l),
		Unknown: a.unprovable(l),
	}
	if l.passdb != nil {
		t.Passdb = l.passdb.Name
	}
	return t, nil
}

func (a *Authenticator) ownerOfServers(ctx context.Context, l *login) string {
	if l.entry == nil || len(l.entry.Settings().Servers) == 0 {
		return OfDomain
	}
	if inMap, _ := a.Directory.Find(ctx, l.key); inMap != nil && len(inMap.Settings().Servers) > 0 {
		return OfUser
	}
	return OfPassdb
}

// unprovable describes why nothing proves a login of the user, and so each one is refused. It is empty if something does.
func (a *Authenticator) unprovable(l *login) string {
	switch {
	case l.masterName != "" || l.domain.Verify == route.VerifyUpstream:
		return ""
	case l.entry == nil:
		return a.source(l).noSuchUser()
	}
	set := l.entry.Settings()
	if len(l.entry.Passwords) == 0 && l.bind == nil && len(set.Fingerprints) == 0 && len(set.Subjects) == 0 {
		return "no password in " + a.source(l).name
	}
	return ""
}
