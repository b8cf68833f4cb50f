package auth

import (
	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/users"
)

// admit applies the rules of user, domain and all, innermost first, to a login whose
// password was right; and to a master user those of his own entry as well.
func (a *Authenticator) admit(l *login, v verdict) verdict {
	client := access.Client{IP: l.ClientIP, Protocol: string(l.Protocol), TLS: l.SSL == "on", Now: l.start}
	around := l.domain.Access.Under(a.Access)
	rules := around
	if l.user != nil {
		rules = l.user.Access.Under(around)
	}
	why, disabled := rules.Refusal(client)
	if why == "" && l.master != nil {
		why, disabled = l.master.Access.Under(a.domainRules(l.master)).Under(a.Access).Refusal(client)
	}
	if why == "" {
		return v
	}
	reason := authlog.Policy
	if disabled {
		reason = authlog.UserDisabled
	}
	return verdict{outcome: authhttp.Reject, reason: reason, detail: why}
}

// domainRules are those of a user's domain, none if it is not listed any more.
func (a *Authenticator) domainRules(u *users.User) access.Rules {
	_, domain := mailaddr.Split(u.Name)
	if d := a.Domains.Find(domain); d != nil {
		return d.Access
	}
	return access.Rules{}
}

// reachable tells whether nginx can be sent to the login's server.
func (a *Authenticator) reachable(l *login) (verdict, bool) {
	switch {
	case l.out:
		return tempFail(allOut), false
	case !l.addr.IsValid():
		return unresolved(l.server), false
	}
	return verdict{}, true
}

const allOut = "all servers are set aside, for they did not answer"

// credentials finds what nginx logs in to the server with, where the client's own name
// and password will not do. Of passwords the first of these counts: the user's
// upstream_password; what the client sent, if that is a password; the cleartext in the
// map; the server's master login.
func (a *Authenticator) credentials(l *login, v verdict) verdict {
	if v, ok := a.reachable(l); !ok {
		return v
	}
	name := l.serverLogin()
	if name != l.User || l.nameless { // nginx has another one, or none
		v.user = name
	}
	switch clear, ok := cleartext(l, v); {
	case l.user != nil && l.user.UpstreamPassword != "":
		v.password = l.user.UpstreamPassword
	case l.Method == authhttp.Plain && l.master == nil: // nginx has it
	case ok:
		v.password = clear
	case l.server.Master != nil && l.server.Master.Ambiguous(name):
		return reject(authlog.Policy, "no master login for a name that holds the separator: the server could take it for another user")
	case l.server.Master != nil:
		v.user, v.password = l.server.Master.Login(name), l.server.Master.Password
	case l.Protocol != authhttp.SMTP: // nginx logs in to an SMTP server only if told to
		return tempFail("nginx needs a password to log in to server %q: the user has neither one in cleartext nor upstream_password, and there is no [servers.%s.master]",
			l.server.Name, l.server.Name)
	}
	a.trace("nginx logs in as %s", name)
	return v
}

// cleartext is the password that was right, or else any that the user has.
func cleartext(l *login, v verdict) (string, bool) {
	if v.matched != nil && l.master == nil {
		if clear, ok := v.matched.Hash.Cleartext(); ok {
			return clear, true
		}
	}
	if l.user == nil {
		return "", false
	}
	return anyCleartext(l.user)
}

func anyCleartext(u *users.User) (string, bool) {
	for i := range u.Passwords {
		if clear, ok := u.Passwords[i].Hash.Cleartext(); ok {
			return clear, true
		}
	}
	return "", false
}
