package auth

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/route"
	"mailauthd/internal/throttle"
	"mailauthd/internal/upstream"
	"mailauthd/internal/users"
)

// Authenticator decides requests by one configuration. It does not change once in use.
type Authenticator struct {
	Methods        []string // that clients may use
	DefaultDomain  string   // for user names without one; empty: refused
	FailureMessage string
	ResponseCodes  bool   // say RFC 5530, RFC 3206 and RFC 3463 codes to the client
	ProxyAddr      bool   // clients' addresses are those of the PROXY protocol
	UserFrom       string // attribute of a certificate's subject that is a user name; empty: none

	Domains   *route.Table
	Servers   map[string]*route.Server // by name
	Users     *users.Map
	Access    access.Rules // for all
	Resolver  *route.Resolver
	Hashing   Slots
	Strangers *Strangers // at Hashing; not needed without Throttle
	Asking    Slots      // of MaxAsking, for those who wait for a mail server; nil: no bound
	Health    Healths
	Pools     map[string]*upstream.Pool // by server; where there is none, each login connects
	Cache     *cache.Cache              // of passwords that were right or wrong; nil: none

	Throttle *throttle.Throttle // nil: none
	AuthWait bool               // make nginx wait after a failure, as long as the throttle says

	Now func() time.Time

	// CountHash, if set, is called for each password that is compared with a hash. It must
	// be safe for concurrent use.
	CountHash func()

	// Trace, if set, sees each step of the decision, without secrets. It must be safe
	// for concurrent use.
	Trace func(format string, args ...any)
}

// login is one request on its way to a decision.
type login struct {
	authhttp.Request
	start      time.Time
	nameless   bool   // the client said no user name: User is the one in its certificate
	name       string // the user name with its domain, as the client spelt it
	key        string // the same in the one spelling
	masterName string // the master user who logs in as this one, in the one spelling; empty: nobody
	user       *users.User
	master     *users.User
	domain     *route.Domain
	server     *route.Server
	addr       netip.AddrPort // valid if the server's address is known

	out       bool // all servers of the user are set aside
	throttled throttle.Verdict
}

// verdict is a decision and why.
type verdict struct {
	outcome authhttp.Outcome
	reason  authlog.Reason
	detail  string // for the log
	reply   string // the mail server's own words, after a good login there

	server  *route.Server   // that was asked, or to be asked
	addr    netip.Addr      // where it was asked
	matched *users.Password // the one that was right
	cached  string          // "hit" or "stale" for an answer from memory

	over throttle.Counter // that this is rejected for

	user, password string // for nginx to use at the server instead of the client's
	code, text     string // for the client instead of what the outcome says
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
	if err := response.Check(); err != nil {
		v = tempFail("%v", err)
		response = a.response(l, v)
	}
	if a.Trace != nil {
		a.trace("outcome %s %s %s", v.outcome, v.reason, v.detail)
	}
	return response, event(l, v, a.Now(), response.Status())
}

// safely makes a panic a temporary failure of this request. What the panic was
// about may be a secret; where it was is not.
func safely(decide func() verdict) (v verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = tempFail("panic (%T) at %s", p, panicSite())
		}
	}()
	return decide()
}

// decide is the order of the decision: see the package comment.
func (a *Authenticator) decide(ctx context.Context, l *login) verdict {
	if v, ok := a.checkMethod(l.Method); !ok {
		return v
	}
	switch l.Method {
	case authhttp.None:
		return a.receive(l)
	case authhttp.External:
		if v, ok := a.identify(l); !ok {
			return v
		}
	default:
		if l.Password == "" {
			return reject(authlog.Policy, "empty password")
		}
	}
	v, found := a.find(l)
	if v, ok := a.throttle(l); !ok {
		return v
	}
	if found {
		v = a.verify(ctx, l)
	}
	if v.outcome == authhttp.OK {
		v = a.admit(l, v)
	}
	a.countFailure(l, v)
	if v.outcome == authhttp.OK {
		v = a.credentials(l, v)
	}
	a.countSuccess(l, v)
	return v
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

// checkMethod lets only those methods pass that the configuration offers.
func (a *Authenticator) checkMethod(m authhttp.Method) (verdict, bool) {
	switch {
	case m == authhttp.XOAuth2 || m == authhttp.OAuthBearer:
		return reject(authlog.Policy, "method %s is not supported", m), false
	case !slices.Contains(a.Methods, string(m)):
		return reject(authlog.Policy, "method %s is not in [auth] methods", m), false
	}
	return verdict{}, true
}

func (a *Authenticator) trace(format string, args ...any) {
	if a.Trace != nil {
		a.Trace(format, args...)
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
		Backend:  l.addr,
		Reply:    v.reply,
		Status:   status,
		Outcome:  v.outcome.String(),
		Reason:   v.reason,
		Error:    v.detail,
		Throttle: string(cmp.Or(v.over, l.throttled.Over)),
		Cache:    v.cached,
	}
	if l.server != nil {
		e.Server = l.server.Name
	}
	if v.matched != nil {
		e.Label = v.matched.Label
	}
	return e
}
