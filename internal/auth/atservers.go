package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/limit"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// Limits of logins that are checked at mail servers.
const (
	// MaxUpstream is how long a login may take at all servers that are tried. nginx stops waiting after 60 s.
	MaxUpstream = 40 * time.Second
	// MaxAsking is the largest number of logins that are checked at mail servers and passdbs, or wait for a slot there.
	MaxAsking = 176
	// MaxWaiting is the largest number of logins that wait for a slot of one server or passdb, so that one that hangs
	// does not use up MaxAsking.
	MaxWaiting = 50
	// MaxPassdbConnections is the largest MaxConnections of a passdb. With it, a passdb that hangs leaves a quarter of
	// MaxAsking to the others.
	MaxPassdbConnections = 3*MaxAsking/4 - MaxWaiting
)

// atServers proves a password at the first of the user's servers that can be reached.
type atServers struct{ a *Authenticator }

// proveAtServers asks the mail servers, unless the answer is remembered.
func (a *Authenticator) proveAtServers(ctx context.Context, at *attempt) verdict {
	if !at.addr.IsValid() { // nginx could not be sent there, whatever is remembered
		return atServers{a}.prove(ctx, at)
	}
	v := a.remembered(ctx, at, atServers{a})
	if v.cached != "" { // nginx is sent to this server even if it is set aside
		v.server, v.addr = at.server, at.addr
	}
	return v
}

func (v atServers) callers() *limit.Group { return v.a.asking }

// scope identifies the servers that may be asked, and how. So an answer at another port or without TLS does not count
// after a reload. Only the CAs are left out.
func (v atServers) scope(at *attempt) string {
	var b strings.Builder
	b.WriteString("servers")
	for _, s := range at.servers {
		c := s.Upstream(string(at.Protocol), netip.Addr{})
		fmt.Fprintf(&b, " %q %s %s %d %s %q %x %q %t", s.Name, s.Host, c.Protocol, c.Addr.Port(),
			c.TLS.Mode, c.TLS.ServerName, c.TLS.Fingerprint[:], c.Mechanisms, c.AllowCleartext)
	}
	return b.String() + " " + at.serverLogin()
}

// prove asks one server after the other until one can be reached. A wrong password is an answer, and so is a
// temporary failure.
func (v atServers) prove(ctx context.Context, at *attempt) verdict {
	ctx, cancel := context.WithTimeout(ctx, MaxUpstream)
	defer cancel()
	last := tempFail(allSetAside)
	last.contact = unreachable
	for s, ticket := range v.a.Health.Try(at.servers, string(at.Protocol)) {
		one := &atServer{atServers: v, mailServer: v.a.servers[s.Name], ticket: ticket}
		last = one.login(ctx, at)
		switch {
		case last.contact == answered:
			ticket.Answered()
		case one.failed != nil:
			ticket.Failed(one.failed)
		}
		if last.contact != unreachable {
			break
		}
		if ctx.Err() != nil && s != at.servers[len(at.servers)-1] { // another one might have answered
			last.contact = notAsked
			break
		}
	}
	return last
}

// atServer proves a password at one server.
type atServer struct {
	atServers
	*mailServer
	ticket route.Ticket
	failed error // why the server could not be reached, if that is the server's fault
}

// login waits for one of the server's slots, and asks it. Both take no longer than its timeout.
func (v *atServer) login(ctx context.Context, at *attempt) verdict {
	ctx, cancel := context.WithTimeout(ctx, v.Timeout)
	defer cancel()
	result := bounded{v.a, v, v.slots, v.Timeout, "ask server " + strconv.Quote(v.Name) + ", max_connections"}.prove(ctx, at)
	result.server = v.Server
	if result.waited && ctx.Err() != nil && result.contact == unreachable { // it had less time than it may take
		result.contact, v.failed = notAsked, nil
		result.detail += ", after waiting for a slot"
	}
	return result
}

// prove asks the server at one of its addresses after the other, until one is reached. The first is the one to which
// nginx would be sent.
func (v *atServer) prove(ctx context.Context, at *attempt) verdict {
	var first netip.Addr
	if v.Server == at.server {
		first = at.addr
	}
	last := unresolved(v.Server)
	last.contact = unreachable
	addrs := slices.Collect(v.a.Resolver.Addrs(v.Host, first))
	for i, addr := range addrs {
		reply, err := v.ask(ctx, at, addr)
		last = v.conclude(at, reply, err)
		last.addr = addr
		if last.contact != unreachable {
			break
		}
		if ctx.Err() != nil && i < len(addrs)-1 { // another one might have answered
			last.contact = notAsked
			break
		}
	}
	return last
}

// conclude returns the verdict after a dialogue.
func (v *atServer) conclude(at *attempt, reply string, err error) (result verdict) {
	v.failed = nil
	switch {
	case err == nil:
		result = verdict{outcome: authhttp.OK, reply: reply}
	case errors.Is(err, upstream.ErrRejected) && at.keptOut():
		result = *at.refusal
	case errors.Is(err, upstream.ErrRejected):
		result = reject(authlog.PasswordMismatch, "server %q: %v", v.Name, err)
	default:
		result = tempFail("server %q: %v", v.Name, err)
	}
	switch {
	case errors.Is(err, upstream.ErrBusy), upstream.Starved(err), errors.Is(err, context.Canceled): // not the server's fault
		result.contact = notAsked
	case err != nil && upstream.Unreachable(err):
		result.contact, v.failed = unreachable, err
	default:
		result.contact = answered
	}
	return result
}

// ask has one dialogue with the server. For a login that the rules refuse it asks about a user that does not exist. So
// the time of the server's answer does not depend on the client's password, and no account is locked.
func (v *atServer) ask(ctx context.Context, at *attempt, addr netip.Addr) (reply string, err error) {
	target := v.Upstream(string(at.Protocol), addr)
	if v.a.Trace != nil {
		target.Trace = func(line string) { v.a.trace("%s", line) }
	}
	breaker := v.a.Health.Of(v.Server, string(at.Protocol))
	target.Certificate = breaker.SawCertificate
	target.Opened = v.ticket.Answered // so other logins can try the server before the end of this one
	target.Compute = func(ctx context.Context) (func(), error) {
		slot, err := v.a.hashing.Acquire(ctx, MaxHashWait, at.client)
		return slot.Release, err
	}
	name, password := at.serverLogin(), at.Password
	if at.keptOut() {
		v.a.trace("%s: the server is asked about a random name, so that the time does not tell whether the password is right", at.refusal.detail)
		_, domain := mailaddr.Split(at.key)
		name, password = rand.Text()+"@"+domain, rand.Text()
	}
	v.a.trace("checking by %s at %v", target.Protocol, target.Addr)
	begin := time.Now()
	reply, err = v.pool.Login(ctx, target, name, password)
	if err == nil || errors.Is(err, upstream.ErrRejected) {
		breaker.Took(time.Since(begin))
	}
	return reply, err
}

func unresolved(s *route.Server) verdict {
	return tempFail("server %q: host %q has not been resolved so far", s.Name, s.Host)
}
