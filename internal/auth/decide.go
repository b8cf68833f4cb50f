package auth

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
)

// Answer decides one request. The headers of nginx are h. The response is valid, and can be sent as it is.
func (a *Authenticator) Answer(ctx context.Context, h http.Header) (authhttp.Response, authlog.Event) {
	start := a.Now()
	req, err := authhttp.ReadRequest(h)
	if a.ProxyAddr {
		req.ClientIP = req.ProxyAddr
	}
	l := &login{Request: req, start: start}
	v := safely(func() verdict {
		if err != nil {
			return reject(authlog.Policy, "%v", err)
		}
		return a.decide(ctx, l)
	})
	response := a.response(l, v)
	if err := response.Validate(); err != nil {
		v = tempFail("%v", err)
		response = a.response(l, v)
	}
	if a.Trace != nil {
		a.trace("outcome %s %s %s", v.outcome, v.reason, v.detail)
	}
	return response, event(l, v, a.Now(), response.Status())
}

// safely turns a panic into a temporary failure of this request. It reports where the panic was, but not its value,
// which may contain a secret.
func safely(decide func() verdict) (v verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = tempFail("panic (%T) at %s", p, panicSite())
		}
	}()
	return decide()
}

// panicSite returns the place in this module where a recovered panic was raised.
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

func event(l *login, v verdict, end time.Time, status string) authlog.Event {
	e := authlog.Event{
		Start:    l.start,
		End:      end,
		Method:   string(l.Method),
		User:     l.User,
		Salt:     l.Salt,
		Protocol: string(l.Protocol),
		ClientIP: l.ClientIP,
		SSL:      l.SSL,
		Reply:    v.reply,
		Status:   status,
		Outcome:  v.outcome.String(),
		Reason:   v.reason,
		Error:    v.detail,
		Throttle: string(v.standing.Over),
		Cache:    v.cached,
	}
	if l.passdb != nil {
		e.Passdb = l.passdb.Name
	}
	if l.server != nil {
		server, addr := l.destination(v)
		e.Server, e.Backend = server.Name, addr
	}
	if v.matched != nil {
		e.Label = v.matched.Label
	}
	return e
}

// decide decides a request in the order of the package comment.
func (a *Authenticator) decide(ctx context.Context, l *login) verdict {
	if l.Method == authhttp.None {
		return a.receive(ctx, l)
	}
	if v, ok := a.offered(l); !ok {
		return v
	}
	v, found := a.find(ctx, l)
	if a.throttle != nil {
		ctx = a.throttle.Bound(ctx)
	}
	standing := a.askThrottle(ctx, l)
	switch {
	case !standing.Allowed:
		v = throttled(standing)
	case found:
		if standing, v, found = a.findInPassdb(ctx, l, standing); found {
			at := &attempt{l, a.limitClient(l, standing), a.certainRefusal(l)}
			v = at.ruled(a.prove(ctx, at))
		}
	}
	if !v.waited {
		v.standing = standing
	}
	if v.outcome == authhttp.OK {
		v = a.credentials(l, v)
	}
	a.countFailure(ctx, l, v)
	if v.outcome == authhttp.OK {
		if a.Trace != nil { // arguments cost
			a.trace("nginx logs in as %s", l.serverLogin())
		}
		a.countSuccess(ctx, l)
		a.remember(l, v)
	}
	return v
}

// offered rejects logins without looking for the user: by methods that the configuration does not offer, and without a
// password or certificate.
func (a *Authenticator) offered(l *login) (verdict, bool) {
	switch {
	case l.Method == authhttp.XOAuth2 || l.Method == authhttp.OAuthBearer:
		return reject(authlog.Policy, "method %s is not supported", l.Method), false
	case !slices.Contains(a.Methods, string(l.Method)):
		return reject(authlog.Policy, notOffered, l.Method), false
	case l.Method == authhttp.External:
		return a.checkCertificate(l)
	case l.Password == "":
		return reject(authlog.Policy, "empty password"), false
	}
	return verdict{}, true
}

const notOffered = "method %s is not in [auth] methods"

// attempt is a login that may be tried.
type attempt struct {
	*login
	client  limit.Client
	refusal *verdict // whatever the password is; nil if a right one lets the user in
}

// keptOut reports whether the login is refused even with the right password. Then neither the answer nor its time may
// reveal whether the password was right.
func (at *attempt) keptOut() bool { return at.refusal != nil }

// ruled returns the verdict on a login whose password was right: that of the rules, if they refuse it.
func (at *attempt) ruled(v verdict) verdict {
	if v.outcome != authhttp.OK || !at.keptOut() {
		return v
	}
	return v.instead(*at.refusal)
}
