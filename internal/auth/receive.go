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
	l.sent, l.key, l.passdb = key, key, a.passdbs[l.domain.Verify]
	known, v, ok := a.receives(ctx, l, local)
	switch {
	case !ok && v.outcome == authhttp.Reject:
		return a.noRelay("recipient %q: %s", recipient, v.detail)
	case !ok:
		return v
	}
	if !known {
		v := reject(authlog.UserUnknown, "recipient %q is not in %s", recipient, a.source(l).name)
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
// (verify = "upstream", catch_all). A postmaster always exists (RFC 5321 section 4.5.1). A domain that is not listed must
// be ours first, or mail could be relayed anywhere.
func (a *Authenticator) receives(ctx context.Context, l *login, local string) (known bool, v verdict, ok bool) {
	all := l.domain.Verify == route.VerifyUpstream || l.domain.CatchAll || local == "postmaster"
	if all && l.domain.Name != route.AnyDomain {
		return true, verdict{}, true
	}
	_, entry, err := a.lookup(ctx, l.key)
	if err != nil {
		return false, tempFail("recipient: %v", err), false
	}
	if entry != nil || l.passdb == nil {
		return entry != nil, verdict{}, true
	}
	servers := l.servers
	_, v, ok = a.queryPassdb(ctx, l, a.limitSender(l))
	a.route(l, servers) // mail goes to the domain's servers
	return l.entry != nil || all && l.passdb.HasDomain != nil, v, ok
}
