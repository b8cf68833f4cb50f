package auth

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// MaxUpstream bounds a login at the mail servers, with all of them that are tried: nginx
// gives up on us after 60 s.
const MaxUpstream = 40 * time.Second

// Healths tell which servers are set aside, by the protocol that they are asked by: what
// one of them does not offer must not close the others. A nil map sets none aside.
type Healths map[string]*route.Health

func (h Healths) of(protocol string) *route.Health { return h[protocol] }

// try is [route.Health.Try], for each server by the protocol that it is asked by.
func (h Healths) try(servers []*route.Server, l *login) iter.Seq2[*route.Server, route.Ticket] {
	return func(yield func(*route.Server, route.Ticket) bool) {
		for i, s := range servers {
			for s, ticket := range h.of(checkProtocol(s, l)).Try(servers[i : i+1]) {
				if !yield(s, ticket) {
					return
				}
			}
		}
	}
}

// first is [route.Health.First], each server by the protocol that others ask it by: by another one
// nothing is known of it.
func (h Healths) first(servers []*route.Server, l *login) (*route.Server, bool) {
	for i, s := range servers {
		if s, ok := h.of(checkProtocol(s, l)).First(servers[i : i+1]); ok {
			return s, true
		}
	}
	return nil, false
}

// verifyUpstream asks the mail server, or remembers what it said.
func (a *Authenticator) verifyUpstream(ctx context.Context, l *login) verdict {
	servers := a.serversOf(l)
	v := a.recall(ctx, l, nil, judges(servers, l), func(ctx context.Context, l *login) verdict { return a.askServers(ctx, l, servers) })
	if v.server != nil {
		l.locate(v.server, v.addr)
	}
	if v.server != nil || v.cached != "" { // it answers, or its answer of before counts
		l.out = false
	}
	return v
}

// judges stand for the servers that may be asked, and how: what one has said at another port, or
// without TLS, does not count after a reload. The CAs alone are left out.
func judges(servers []*route.Server, l *login) string {
	var b strings.Builder
	b.WriteString("servers")
	for _, s := range servers {
		c := s.Check(string(l.Protocol), netip.Addr{})
		fmt.Fprintf(&b, " %q %s %s %d %s %q %x %q %t", s.Name, s.Host, c.Protocol, c.Addr.Port(),
			c.TLS.Mode, c.TLS.ServerName, c.TLS.Fingerprint[:], c.Mechanisms, c.AllowCleartext)
	}
	return b.String() + " " + l.serverLogin()
}

// askServers asks one server after the other, until one answers. A wrong password is an
// answer, and so is a temporary failure.
func (a *Authenticator) askServers(ctx context.Context, l *login, servers []*route.Server) verdict {
	ctx, cancel := context.WithTimeout(ctx, MaxUpstream)
	defer cancel()
	v := tempFail(allOut)
	for s, ticket := range a.Health.try(servers, l) {
		var answered bool
		if v, answered = a.askServer(ctx, l, s, ticket); answered || ctx.Err() != nil {
			break
		}
	}
	return v
}

func checkProtocol(s *route.Server, l *login) string {
	if s.VerifyProtocol != "same" {
		return s.VerifyProtocol
	}
	return string(l.Protocol)
}

// askServer is false where another server may know.
func (a *Authenticator) askServer(ctx context.Context, l *login, s *route.Server, ticket route.Ticket) (verdict, bool) {
	v, err := a.askAddrs(ctx, l, s)
	v.server = s
	switch {
	case err == nil && !v.addr.IsValid():
		return v, false
	case v.over != "", errors.Is(err, upstream.ErrBusy), upstream.Starved(err), errors.Is(err, context.Canceled): // not the server's fault
	case !errors.Is(err, upstream.ErrRejected) && upstream.Unreachable(err):
		ticket.Failed(err)
		return v, false
	default:
		ticket.Answered()
	}
	return v, true
}

// askAddrs asks a server at one of its addresses after the other, until one is reached:
// first where nginx would be sent. They share the server's time.
func (a *Authenticator) askAddrs(ctx context.Context, l *login, s *route.Server) (v verdict, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	var from netip.Addr
	if s == l.server {
		from = l.addr.Addr()
	}
	v = unresolved(s)
	for addr := range a.Resolver.Addrs(s.Host, from) {
		var reply string
		reply, err = a.login(ctx, l, s, addr)
		v = verdict{outcome: authhttp.OK, reply: reply}
		var late throttled
		switch {
		case errors.As(err, &late):
			v = late.verdict
		case errors.Is(err, upstream.ErrRejected):
			v = reject(authlog.PasswordMismatch, "server %q: %v", s.Name, err)
		case err != nil:
			v = tempFail("server %q: %v", s.Name, err)
		}
		v.addr = addr
		if !upstream.Unreachable(err) || upstream.Starved(err) || ctx.Err() != nil {
			break
		}
	}
	return v, err
}

func (a *Authenticator) login(ctx context.Context, l *login, s *route.Server, addr netip.Addr) (reply string, err error) {
	target := s.Check(string(l.Protocol), addr)
	if a.Trace != nil {
		target.Trace = func(line string) { a.trace("%s", line) }
	}
	a.trace("checking by %s at %v", target.Protocol, target.Addr)
	if pool := a.Pools[s.Name]; pool != nil {
		return pool.Login(ctx, target, l.serverLogin(), l.Password)
	}
	return target.Login(ctx, l.serverLogin(), l.Password)
}
