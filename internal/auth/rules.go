package auth

import (
	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// certainRefusal returns the refusal of a login that is refused whatever its password is. It is nil for other logins.
// What decides that is known before the login is proved, so neither the answer nor its time depends on the password.
func (a *Authenticator) certainRefusal(l *login) *verdict {
	if refusal := a.rules(l); refusal != nil {
		return refusal
	}
	v := verdict{outcome: authhttp.OK}
	switch {
	case l.masterName != "" && l.entry == nil && l.domain.Verify != route.VerifyUpstream:
		v = reject(authlog.UserUnknown, "%s", a.source(l).noSuchUser())
	case l.masterName != "" || l.Method != authhttp.Plain:
		v = a.credentials(l, v)
	}
	if v.outcome == authhttp.OK {
		return nil
	}
	return &v
}

// rules returns the refusal by the rules of the user, the domain and [auth], or nil. For a master user, those of the
// master's own entry apply as well.
func (a *Authenticator) rules(l *login) *verdict {
	client := access.Client{IP: l.ClientIP, Protocol: string(l.Protocol), TLS: l.SSL == "on", Now: l.start}
	why, disabled := a.rulesOf(l).Refusal(client)
	if why == "" && l.master != nil {
		why, disabled = l.master.Settings().Access.Under(a.domainRules(l.master)).Under(a.Access).Refusal(client)
	}
	if why == "" {
		return nil
	}
	reason := authlog.Policy
	if disabled {
		reason = authlog.UserDisabled
	}
	return &verdict{outcome: authhttp.Reject, reason: reason, detail: why}
}

// rulesOf returns the rules of the login's user, under those of the domain and of [auth].
func (a *Authenticator) rulesOf(l *login) access.Rules {
	around := l.domain.Access.Under(a.Access)
	if l.entry == nil {
		return around
	}
	return l.entry.Settings().Access.Under(around)
}

// domainRules returns the rules of a user's domain. There are none if the domain is no longer listed.
func (a *Authenticator) domainRules(u *users.User) access.Rules {
	_, domain := mailaddr.Split(u.Name)
	if d := a.Domains.Find(domain); d != nil {
		return d.Access
	}
	return access.Rules{}
}
