package auth

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// login is one request with what was found for it. It is not changed after find and findInPassdb have returned.
type login struct {
	authhttp.Request
	start      time.Time
	nameless   bool        // the client sent no user name: User is the one in its certificate
	name       string      // the user name with its domain, as the client spelt it
	sent       string      // the same in canonical form
	key        string      // of an alias, its user's name; else the same
	entry      *users.User // nil if there is none
	masterName string      // the master user who logs in as this one, in canonical form; empty: none
	master     *users.User // nil if there is none of this name
	domain     *route.Domain
	passdb     *passdb         // that the user is in; nil if the map has the user's password, or the domain has none
	asked      bool            // the throttle was asked again because of what the passdb has answered, or of waiting for it
	bind       Bind            // proves the password at the passdb; nil if it has hashes
	servers    []*route.Server // in the order in which to try them

	// Where nginx is sent if no server is asked.
	server   *route.Server
	addr     netip.Addr // not valid if the server's name has no address yet
	setAside bool       // all servers are set aside
}

// find completes the user name, and finds entry, domain and servers.
func (a *Authenticator) find(ctx context.Context, l *login) (verdict, bool) {
	if l.Method == authhttp.External && l.User == "" {
		if v, ok := a.nameFromCertificate(l); !ok {
			return v, false
		}
	}
	name := l.User
	if target, master, ok := cutMaster(name); ok && a.Directory.HasMasters() {
		name = target
		if v, ok := a.findMaster(ctx, l, master); !ok {
			return v, false
		}
	}
	l.name = a.complete(name)
	v, ok := a.findUser(ctx, l)
	if !ok {
		return v, false
	}
	a.route(l, a.serversOf(l))
	if a.Trace != nil { // avoids the cost of the arguments
		server, addr := l.destination(verdict{})
		a.trace("domain %s, verify = %s, server %s at %v", l.domain.Name, l.domain.Verify, server.Name, addr)
	}
	return verdict{}, true
}

// findUser finds the domain of the login's name, and the entry if there is one.
func (a *Authenticator) findUser(ctx context.Context, l *login) (verdict, bool) {
	key, err := mailaddr.User(l.name)
	if err != nil {
		return reject(authlog.UserUnknown, "%v", err), false
	}
	l.sent, l.key = key, key
	local, domain := mailaddr.Split(key)
	if local == "" || domain == "" {
		return reject(authlog.UserUnknown, "user name without a local part or a domain"), false
	}
	listed := a.Domains.Find(domain)
	if listed == nil {
		return reject(authlog.UserUnknown, "domain is not listed in [domains]"), false
	}
	if l.key, l.entry, err = a.lookup(ctx, key); err != nil {
		return tempFail("user %q: %v", key, err), false
	}
	l.domain = listed
	if l.entry == nil || len(l.entry.Passwords) == 0 {
		l.passdb = a.passdbs[listed.Verify]
	}
	return verdict{}, true
}

// findMaster finds the entry of the master user who logs in as another one.
func (a *Authenticator) findMaster(ctx context.Context, l *login, written string) (verdict, bool) {
	name, err := a.Canonical(written)
	if err != nil || written == "" {
		return reject(authlog.UserUnknown, "no name of a master user after the \"*\""), false
	}
	if l.masterName, l.master, err = a.lookup(ctx, name); err != nil {
		return tempFail("master user %q: %v", name, err), false
	}
	return verdict{}, true
}

// lookup finds the entry of a name in canonical form. The entry is nil if there is none. The key is the name whose
// failures are counted: that of the entry, or else the name without the extension that the domain's
// recipient_delimiter begins. As in Postfix, an entry of the whole name comes before that of the name without its
// extension.
func (a *Authenticator) lookup(ctx context.Context, name string) (key string, entry *users.User, err error) {
	entry, err = a.Directory.Find(ctx, name)
	_, domain := mailaddr.Split(name)
	if d := a.Domains.Find(domain); d != nil && entry == nil && err == nil {
		if base, cut := mailaddr.CutExtension(name, d.RecipientDelimiter); cut {
			name = base
			entry, err = a.Directory.Find(ctx, base)
		}
	}
	if entry != nil {
		name = entry.Name
	}
	return name, entry, err
}

// cutMaster splits USER*MASTER at the first "*", as Dovecot does at its
// auth_master_user_separator (auth-request-fields.c).
func cutMaster(name string) (user, master string, ok bool) {
	return strings.Cut(name, "*")
}

// serversOf returns the servers of a user, or else of the domain, in the order in which to try them.
func (a *Authenticator) serversOf(l *login) []*route.Server {
	servers := l.domain.Servers
	if l.entry == nil {
		return route.Choose(servers, l.domain.Policy, l.key)
	}
	if own := l.entry.Settings().Servers; len(own) > 0 {
		servers = make([]*route.Server, len(own))
		for i, name := range own {
			servers[i] = a.servers[name].Server
		}
	}
	return route.Choose(servers, l.domain.Policy, l.key)
}

// route sends a login to the first server that is not set aside. If all are, it notes that, and chooses the first one.
func (a *Authenticator) route(l *login, servers []*route.Server) {
	l.servers = servers
	s, ok := a.Health.First(servers, string(l.Protocol))
	if l.setAside = !ok; l.setAside {
		s = servers[0]
	}
	l.server = s
	l.addr, _ = a.Resolver.Addr(s.Host)
}

// destination returns where nginx is sent: to the server that was asked, if one was. The address is not valid if the
// server's name has no address yet.
func (l *login) destination(v verdict) (*route.Server, netip.AddrPort) {
	server, addr := l.server, l.addr
	if v.server != nil {
		server, addr = v.server, v.addr
	}
	if !addr.IsValid() {
		return server, netip.AddrPort{}
	}
	return server, netip.AddrPortFrom(addr, server.Port(string(l.Protocol)))
}

// serverLogin returns the user's name at the mail server: the configured one; the user's own after a login by alias; or
// else what the client sent.
func (l *login) serverLogin() string {
	switch {
	case l.entry == nil:
		return l.name
	case l.entry.Settings().Login != "":
		return l.entry.Settings().Login
	}
	if key, err := mailaddr.User(l.name); err != nil || key != l.entry.Name {
		return l.entry.Name
	}
	return l.name
}
