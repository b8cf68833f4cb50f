package auth

import (
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
)

// receive decides on mail without a login (method none): it may go to our own
// domains, and nowhere else. What a client says about user and password is not read.
func (a *Authenticator) receive(l *login) verdict {
	if l.Protocol != authhttp.SMTP {
		return reject(authlog.Policy, "method none is for smtp only")
	}
	recipient, err := mailaddr.Recipient(l.To)
	if err != nil {
		return a.noRelay("recipient: %v", err)
	}
	key, err := mailaddr.User(a.complete(recipient))
	if err != nil {
		return a.noRelay("recipient: %v", err)
	}
	local, domain := mailaddr.Split(key)
	if l.domain = a.Domains.Find(domain); l.domain == nil || local == "" {
		return a.noRelay("recipient %q: domain is not listed in [domains]", recipient)
	}
	a.choose(l, l.domain.MailServers())
	if !a.receives(l.domain, key, local) {
		v := reject(authlog.UserUnknown, "recipient %q is not in the map", recipient)
		v.code, v.text = "550 5.1.1", "User unknown"
		return v
	}
	if v, ok := a.reachable(l); !ok {
		return v
	}
	return verdict{outcome: authhttp.OK}
}

func (a *Authenticator) noRelay(format string, args ...any) verdict {
	v := reject(authlog.Policy, format, args...)
	v.code, v.text = "550 5.7.1", "Relay access denied"
	return v
}

// receives tells whether a domain takes mail for a name: its server knows, or the map
// does; and a postmaster always exists (RFC 5321 section 4.5.1).
func (a *Authenticator) receives(d *route.Domain, key, local string) bool {
	return d.Verify == route.VerifyUpstream || d.CatchAll || local == "postmaster" || a.Users.Lookup(key) != nil
}
