package auth

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// Authenticator decides requests by one configuration. It does not change once in use.
type Authenticator struct {
	Methods        []string // that clients may use
	DefaultDomain  string   // for user names without one; empty: refused
	FailureMessage string
	ResponseCodes  bool // say RFC 5530, RFC 3206 and RFC 3463 codes to the client

	Domains  *route.Table
	Users    *users.Map
	Resolver *route.Resolver
	Hashing  Slots

	Now func() time.Time

	// Trace, if set, sees each step of the decision, without secrets. It must be safe
	// for concurrent use.
	Trace func(format string, args ...any)
}

// login is one request on its way to a decision.
type login struct {
	authhttp.Request
	name   string // the user name with its domain, as the client spelt it
	key    string // the same in the one spelling
	domain *route.Domain
	server *route.Server
	addr   netip.AddrPort // valid if the server's address is known
}

// verdict is a decision and why.
type verdict struct {
	outcome authhttp.Outcome
	reason  authlog.Reason
	detail  string // for the log
	reply   string // the mail server's own words, after a good login there
}

func reject(reason authlog.Reason, format string, args ...any) verdict {
	return verdict{outcome: authhttp.Reject, reason: reason, detail: fmt.Sprintf(format, args...)}
}

func tempFail(format string, args ...any) verdict {
	return verdict{reason: authlog.InternalFailure, detail: fmt.Sprintf(format, args...)}
}

// Answer decides one request by its headers. The response can be sent as it is.
func (a *Authenticator) Answer(ctx context.Context, h http.Header) (authhttp.Response, authlog.Event) {
	start := a.Now()
	req, err := authhttp.ReadRequest(h)
	l := &login{Request: req}
	v := a.decideSafely(ctx, l, err)
	response := a.response(l, v)
	if err := response.Check(); err != nil {
		v = tempFail("%v", err)
		response = a.response(l, v)
	}
	if a.Trace != nil {
		a.trace("outcome %s %s %s", v.outcome, v.reason, v.detail)
	}
	return response, event(l, v, start, a.Now(), response.Status())
}

// decideSafely makes a panic a temporary failure of this request. What the panic was
// about may be a secret; where it was is not.
func (a *Authenticator) decideSafely(ctx context.Context, l *login, readErr error) (v verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = tempFail("panic (%T) at %s", p, panicSite())
		}
	}()
	if readErr != nil {
		return reject(authlog.Policy, "%v", readErr)
	}
	if v, ok := a.checkMethod(l.Method); !ok {
		return v
	}
	if l.Password == "" {
		return reject(authlog.Policy, "empty password")
	}
	if v, ok := a.find(l); !ok {
		return v
	}
	return a.verify(ctx, l)
}

// panicSite is the place in our own code that a recovered panic comes from.
func panicSite() string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.Function, "mailauthd/") {
			return fmt.Sprintf("%s (%s:%d)", f.Function, filepath.Base(f.File), f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

// checkMethod lets only those methods pass that carry a password to verify.
func (a *Authenticator) checkMethod(m authhttp.Method) (verdict, bool) {
	switch {
	case m == authhttp.XOAuth2 || m == authhttp.OAuthBearer:
		return reject(authlog.Policy, "method %s is not supported", m), false
	case m != authhttp.Plain:
		return tempFail("method %s is not available in this version", m), false
	case !slices.Contains(a.Methods, string(m)):
		return reject(authlog.Policy, "method %s is not in [auth] methods", m), false
	}
	return verdict{}, true
}

// find completes the user name and finds the domain and its server.
func (a *Authenticator) find(l *login) (verdict, bool) {
	l.name = l.User
	if a.DefaultDomain != "" && !strings.Contains(l.name, "@") {
		l.name += "@" + a.DefaultDomain
	}
	key, err := mailaddr.User(l.name)
	if err != nil {
		return reject(authlog.UserUnknown, "%v", err), false
	}
	l.key = key
	local, domain := mailaddr.Split(key)
	if local == "" || domain == "" {
		return reject(authlog.UserUnknown, "user name without a local part or a domain"), false
	}
	if l.domain = a.Domains.Find(domain); l.domain == nil {
		return reject(authlog.UserUnknown, "domain is not listed in [domains]"), false
	}
	l.server = l.domain.Servers[0]
	if addr, ok := a.Resolver.Addr(l.server.Host); ok {
		l.addr = netip.AddrPortFrom(addr, l.server.Port(string(l.Protocol)))
	}
	if a.Trace != nil { // arguments cost
		a.trace("domain %s, verify = %s, server %s at %v", l.domain.Name, l.domain.Verify, l.server.Name, l.addr)
	}
	return verdict{}, true
}

func (a *Authenticator) trace(format string, args ...any) {
	if a.Trace != nil {
		a.Trace(format, args...)
	}
}

func event(l *login, v verdict, start, end time.Time, status string) authlog.Event {
	e := authlog.Event{
		Start:    start,
		End:      end,
		Method:   string(l.Method),
		User:     l.User,
		Salt:     l.Salt,
		Protocol: string(l.Protocol),
		ClientIP: l.ClientIP,
		SSL:      l.SSL,
		Backend:  l.addr,
		Reply:    v.reply,
		Status:   status,
		Outcome:  v.outcome.String(),
		Reason:   v.reason,
		Error:    v.detail,
	}
	if l.server != nil {
		e.Server = l.server.Name
	}
	return e
}
