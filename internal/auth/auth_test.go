package auth

import (
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/password"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// marker is in every password that the tests use, the wrong ones too, so that one
// in the wrong place is found.
const (
	marker = "hunter2"
	right  = "right " + marker + "+%20"
	wrong  = "wrong " + marker
)

const (
	failed  = "Invalid login or password"
	trouble = "Temporary authentication failure"
)

// began is the start of each request here; it ends a millisecond later.
var began = time.Date(2026, 11, 23, 12, 9, 42, 999930000, time.UTC)

// clock is a Now that goes on by a millisecond with each look.
func clock() func() time.Time {
	now := began
	return func() time.Time {
		defer func() { now = now.Add(time.Millisecond) }()
		return now
	}
}

func newServer(name, host string) *route.Server {
	return &route.Server{
		Name: name, Host: host, POP3: 110, IMAP: 143, SMTP: 25,
		VerifyProtocol: "same", ConnectTimeout: 5 * time.Second, Timeout: 5 * time.Second,
	}
}

// newAuth has users with one password in all domains, some of which are special:
//
//	lost.example    its server's name is not resolved
//	mixed.example   verify = "upstream", at a server that must not be asked
//	zone.example    its server's address cannot be told to nginx
//	empty.example   no users
func newAuth(t testing.TB) *Authenticator {
	t.Helper()
	box1, lost := newServer("box1", "192.0.2.1"), newServer("lost", "lost.invalid")
	domain := func(name, verify string, s *route.Server) *route.Domain {
		return &route.Domain{Name: name, Verify: verify, Servers: []*route.Server{s}}
	}
	a := New(Config{
		Methods:         []string{"plain", "apop", "cram-md5", "external", "none"},
		FailureMessage:  failed,
		HashConcurrency: 2,
	}, route.NewResolver(nil))
	a.Now = clock()
	setDomains(a,
		domain("users.example", route.VerifyUsers, box1),
		domain("empty.example", route.VerifyUsers, box1),
		domain("*.wild.example", route.VerifyUsers, newServer("box2", "2001:db8::1")),
		domain("xn--bcher-kva.example", route.VerifyUsers, box1),
		domain("mixed.example", route.VerifyUpstream, box1),
		domain("zone.example", route.VerifyUsers, newServer("zone", "fe80::1%eth0")),
		domain("lost.example", route.VerifyUsers, lost),
		domain("lost-upstream.example", route.VerifyUpstream, lost))
	a.Directory = userMap(t, "alice@users.example", "a@b@users.example",
		" space@xn--bcher-kva.example", strings.Repeat("l", authhttp.MaxUser)+"@xn--bcher-kva.example",
		"alice@a.wild.example", "alice@c.b.wild.example", "alice@xn--bcher-kva.example",
		"alice@mixed.example", "alice@zone.example", "alice@lost.example")
	return a
}

// setDomains gives an Authenticator other domains; logins can be checked at their servers.
func setDomains(a *Authenticator, domains ...*route.Domain) {
	a.Domains = route.NewTable(domains)
	for _, d := range domains {
		for _, s := range d.Servers {
			a.add(s)
		}
	}
}

// entry is that of a user in the map.
func entry(t testing.TB, a *Authenticator, name string) *users.User {
	t.Helper()
	u, err := a.Directory.Find(t.Context(), name)
	if u == nil || err != nil {
		t.Fatalf("no entry for %s: %v", name, err)
	}
	return u
}

// occupy takes all slots of a limiter. Each call of free gives one back.
func occupy(t testing.TB, l *limit.Limiter) (free func()) {
	t.Helper()
	slots := make([]limit.Slot, l.Config().Slots)
	for i := range slots {
		var err error
		if slots[i], err = l.Acquire(t.Context(), 0, limit.Client{Trusted: true}); err != nil {
			t.Fatal(err)
		}
	}
	var next atomic.Int32
	return func() { slots[next.Add(1)-1].Release() }
}

// wantIdle wants nobody to have a slot, or to wait for one.
func wantIdle(t testing.TB, a *Authenticator) {
	t.Helper()
	for name, g := range map[string]*limit.Group{"hashes": a.hashes, "mail servers": a.asking} {
		if all, waiting := g.Callers(); all != 0 {
			t.Errorf("%d logins are left at the limit of %s, of which %d wait", all, name, waiting)
		}
	}
}

func userMap(t testing.TB, names ...string) *users.Map {
	t.Helper()
	hash, err := password.Policy{}.Parse("{PLAIN}"+right, "")
	if err != nil {
		t.Fatal(err)
	}
	var list []users.User
	for _, name := range names {
		list = append(list, users.User{Name: name, Passwords: []users.Password{{Hash: hash}}})
	}
	m, err := users.New(list)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ask is one request. Method and protocol are plain and imap unless set.
type ask struct{ method, protocol, user, pass, salt string }

func (a ask) withDefaults() ask {
	if a.method == "" {
		a.method = "plain"
	}
	if a.protocol == "" {
		a.protocol = "imap"
	}
	return a
}

// header is what nginx sends.
func (a ask) header() http.Header {
	a = a.withDefaults()
	h := http.Header{
		"Auth-Method":        {a.method},
		"Auth-User":          {nginxEscape(a.user)},
		"Auth-Pass":          {nginxEscape(a.pass)},
		"Auth-Protocol":      {a.protocol},
		"Auth-Login-Attempt": {"1"},
		"Client-Ip":          {"203.0.113.5"},
		"Client-Host":        {"[UNAVAILABLE]"},
		"Auth-Ssl":           {"on"},
	}
	if a.salt != "" {
		h["Auth-Salt"] = []string{a.salt}
	}
	return h
}

// nginxEscape is NGX_ESCAPE_MAIL_AUTH.
func nginxEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == '%' {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// result is a whole decision, but for what the event repeats of request and response.
type result struct {
	response authhttp.Response
	server   string // "name address:port", if one was found
	reply    string
	reason   authlog.Reason
	detail   string
}

func accepted(server string) result {
	_, addr, _ := strings.Cut(server, " ")
	return result{response: authhttp.Response{Outcome: authhttp.OK, Server: netip.MustParseAddrPort(addr)}, server: server}
}

func refused(server string, reason authlog.Reason, detail string) result {
	r := authhttp.Response{Outcome: authhttp.Reject, Text: failed}
	return result{response: r, server: server, reason: reason, detail: detail}
}

func troubled(server, detail string) result {
	r := authhttp.Response{Outcome: authhttp.TempFail, Text: trouble}
	return result{response: r, server: server, reason: authlog.InternalFailure, detail: detail}
}

// code sets the SMTP reply code that is wanted.
func (r result) code(code string) result { r.response.Code = code; return r }

// as sets the user name that is wanted in Auth-User.
func (r result) as(user string) result { r.response.User = user; return r }

// event is what is wanted in the log.
func (r result) event(a ask) authlog.Event {
	a = a.withDefaults()
	name, addr, _ := strings.Cut(r.server, " ")
	backend, _ := netip.ParseAddrPort(addr)
	return authlog.Event{
		Start: began, End: began.Add(time.Millisecond),
		Method: a.method, User: a.user, Salt: a.salt, Protocol: a.protocol, ClientIP: "203.0.113.5", SSL: "on",
		Server: name, Backend: backend, Reply: r.reply,
		Status: r.response.Status(), Outcome: r.response.Outcome.String(), Reason: r.reason, Error: r.detail,
	}
}

// answer decides, and checks what must hold for every decision: it can be sent, and
// nothing but the client knows the password.
func answer(t *testing.T, a *Authenticator, h http.Header) (authhttp.Response, authlog.Event) {
	t.Helper()
	var mu sync.Mutex
	var trace strings.Builder
	if a.Trace == nil {
		a.Trace = func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(&trace, format+"\n", args...)
		}
		defer func() { a.Trace = nil }()
	}
	response, event := a.Answer(t.Context(), h)
	if err := response.Validate(); err != nil {
		t.Errorf("response cannot be sent: %v", err)
	}
	public := response
	public.Password = "" // nginx is told some on purpose
	for what, s := range map[string]string{
		"trace": trace.String(), "event": fmt.Sprintf("%+v", event), "response": fmt.Sprintf("%+v", public),
	} {
		if strings.Contains(s, marker) {
			t.Errorf("a password is in the %s: %s", what, s)
		}
	}
	return response, event
}

// check asks, and compares all of the answer.
func check(t *testing.T, a *Authenticator, in ask, want result) {
	t.Helper()
	response, event := answer(t, a, in.header())
	compare(t, response, want.response)
	compare(t, event, want.event(in))
}

func compare(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
