package auth

import (
	"context"
	"slices"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
)

// receive decides about mail without a login (method none): it may go only to configured domains. The user and
// password that nginx may send along are ignored.
func (a *Authenticator) receive(ctx context.Context, l *login) verdict {
	if !slices.Contains(a.Methods, string(l.Method)) {
		return tempFail(notOffered, l.Method) // the mail is to wait in its queue: a rejection would bounce it
	}
	if l.Protocol != authhttp.SMTP {
		return reject(authlog.Policy, "method none is for smtp only")
	}
	recipient, err := mailaddr.Recipient(l.To)
	if err != nil {
		return a.noRelay("recipient: %v", err)
	}
	key, err := a.Canonical(recipient)
	if err != nil {
		return a.noRelay("recipient: %v", err)
	}
	local, domain := mailaddr.Split(key)
	if l.domain = a.Domains.Find(domain); l.domain == nil || local == "" {
		return a.noRelay("recipient %q: domain is not listed in [domains]", recipient)
	}
	a.route(l, l.domain.MailServers())
	known, err := a.receives(ctx, l.domain, key, local)
	if err != nil {
		return tempFail("recipient: %v", err)
	}
	if !known {
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

// receives reports whether a domain accepts mail for a name. It returns true if only the server can decide that
// (verify = "upstream", catch_all). A postmaster always exists (RFC 5321 section 4.5.1).
func (a *Authenticator) receives(ctx context.Context, d *route.Domain, key, local string) (bool, error) {
	if d.Verify == route.VerifyUpstream || d.CatchAll || local == "postmaster" {
		return true, nil
	}
	_, entry, err := a.lookup(ctx, key)
	return entry != nil, err
}
