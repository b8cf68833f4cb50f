package auth

import (
	"net/netip"
	"strings"

	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// find completes the user name, and finds entry, domain and server.
func (a *Authenticator) find(l *login) (verdict, bool) {
	var err error
	name := l.User
	if target, master, ok := cutMaster(name); ok && a.Users.HasMasters() {
		name = target
		if l.masterName, err = mailaddr.User(a.complete(master)); err != nil || master == "" {
			return reject(authlog.UserUnknown, "no name of a master user after the \"*\""), false
		}
		l.master = a.Users.Lookup(l.masterName)
	}
	l.name = a.complete(name)
	if l.key, l.user, err = a.lookup(l.name); err != nil {
		return reject(authlog.UserUnknown, "%v", err), false
	}
	local, domain := mailaddr.Split(l.key)
	if local == "" || domain == "" {
		return reject(authlog.UserUnknown, "user name without a local part or a domain"), false
	}
	if l.domain = a.Domains.Find(domain); l.domain == nil {
		return reject(authlog.UserUnknown, "domain is not listed in [domains]"), false
	}
	a.choose(l, a.serversOf(l))
	if a.Trace != nil { // arguments cost
		a.trace("domain %s, verify = %s, server %s at %v", l.domain.Name, l.domain.Verify, l.server.Name, l.addr)
	}
	return verdict{}, true
}

// lookup finds the entry of a whole name, nil if there is none, and the name in the one spelling: that of
// the entry.
func (a *Authenticator) lookup(name string) (key string, u *users.User, err error) {
	if key, err = mailaddr.User(name); err != nil {
		return "", nil, err
	}
	if u = a.Users.Lookup(key); u != nil {
		key = u.Name
	}
	return key, u, nil
}

// cutMaster splits USER*MASTER at the first "*", as Dovecot does at its
// auth_master_user_separator (auth-request-fields.c).
func cutMaster(name string) (user, master string, ok bool) {
	return strings.Cut(name, "*")
}

func (a *Authenticator) complete(name string) string {
	if a.DefaultDomain != "" && !strings.Contains(name, "@") {
		return name + "@" + a.DefaultDomain
	}
	return name
}

// serversOf are the servers of a user in the order in which to try them: the user's own,
// else the domain's.
func (a *Authenticator) serversOf(l *login) []*route.Server {
	servers := l.domain.Servers
	if l.user != nil && len(l.user.Servers) > 0 {
		servers = make([]*route.Server, len(l.user.Servers))
		for i, name := range l.user.Servers {
			servers[i] = a.Servers[name]
		}
	}
	return route.Choose(servers, l.domain.Policy, l.key)
}

// choose sends a login to the first server that is not set aside; if all are, the
// login is told so once the password was right.
func (a *Authenticator) choose(l *login, servers []*route.Server) {
	s, ok := a.Health.first(servers, l)
	if l.out = !ok; l.out {
		s = servers[0]
	}
	addr, _ := a.Resolver.Addr(s.Host)
	l.locate(s, addr)
}

// locate sends a login to a server, at an address that is not valid if there is none.
func (l *login) locate(s *route.Server, addr netip.Addr) {
	l.server, l.addr = s, netip.AddrPort{}
	if addr.IsValid() {
		l.addr = netip.AddrPortFrom(addr, s.Port(string(l.Protocol)))
	}
}

// serverLogin is the name that the user has at the mail server: the one configured, the
// user's own after a login by alias, or else what the client said.
func (l *login) serverLogin() string {
	switch {
	case l.user == nil:
		return l.name
	case l.user.Login != "":
		return l.user.Login
	}
	if key, err := mailaddr.User(l.name); err != nil || key != l.user.Name {
		return l.user.Name
	}
	return l.name
}
