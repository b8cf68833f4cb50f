package auth

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// closing is a passdb that counts how often it is closed. Two with equal settings are the same.
func closing(name, settings string) (p *Passdb, closed *int) {
	closed = new(int)
	p = (&fakeDB{}).passdb()
	p.Name, p.Settings = name, struct{ List []string }{[]string{settings}} // is not comparable with ==
	p.Close = func() { *closed++ }
	return p, closed
}

func withPassdbs(passdbs ...*Passdb) Config {
	s := newServer("box1", "192.0.2.1")
	c := Config{
		Methods: []string{"plain"}, FailureMessage: failed, HashConcurrency: 2,
		Servers: []*route.Server{s}, Users: new(users.Map), Passdbs: passdbs,
		Cache: cache.Config{Size: 10, TTL: time.Hour, NegativeTTL: time.Minute},
	}
	var domains []*route.Domain
	for _, p := range passdbs {
		domains = append(domains, &route.Domain{Name: p.Name + ".example", Verify: p.Name, Servers: []*route.Server{s}})
	}
	c.Domains = route.NewTable(domains)
	return c
}

// A reload keeps a passdb that is configured as before, with its outage, and closes the others once.
func TestInheritPassdbs(t *testing.T) {
	var changes []string
	report := func(c route.Change) {
		changes = append(changes, fmt.Sprint(c.Server, " ", c.Protocol, " ", c.To))
	}
	kept, keptClosed := closing("kept", "1")
	changed, changedClosed := closing("changed", "1")
	removed, removedClosed := closing("removed", "1")
	old := New(withPassdbs(kept, changed, removed), route.NewResolver(nil))
	old.Inherit(nil, report)
	for _, name := range []string{"kept", "changed"} {
		old.passdbs[name].Directory.(*fakeDB).err = errDown
		for range route.MaxFails {
			answers(t, old, ask{user: "x@" + name + ".example", pass: wrong}, authhttp.TempFail, authlog.InternalFailure, "")
		}
	}
	if want := []string{"kept passdb open", "changed passdb open"}; !slices.Equal(changes, want) {
		t.Errorf("reported %q, want %q", changes, want)
	}

	same, sameClosed := closing("kept", "1")
	other, otherClosed := closing("changed", "2")
	added, addedClosed := closing("added", "1")
	for _, p := range []*Passdb{other, added} {
		p.Watch = func(report func(route.Change)) {
			report(route.Change{Server: p.Name, Protocol: "of its own", To: route.Open})
		}
	}
	next := New(withPassdbs(same, other, added), route.NewResolver(nil))
	changes = changes[:2]
	next.Inherit(old, report)
	for _, name := range []string{"changed", "added"} {
		if !slices.Contains(changes[2:], name+" of its own open") {
			t.Errorf("the server of %s reports nothing: %q", name, changes[2:])
		}
	}
	changes = changes[:2]
	old.Close(next)
	closed := func(when string, want ...int) {
		t.Helper()
		got := []int{*keptClosed, *sameClosed, *changedClosed, *otherClosed, *removedClosed, *addedClosed}
		if !slices.Equal(got, want) {
			t.Errorf("%s: kept, same, changed, other, removed and added are closed %v times, want %v", when, got, want)
		}
	}
	closed("after a reload", 0, 1, 1, 0, 1, 0)
	if next.passdbs["kept"].Passdb != kept || next.passdbs["changed"].Passdb != other || next.passdbs["removed"] != nil {
		t.Error("the next configuration has other passdbs")
	}
	answers(t, next, ask{user: "x@kept.example", pass: wrong}, authhttp.TempFail, authlog.InternalFailure, "")
	kept.Directory.(*fakeDB).wantAsked(t, "x@kept.example", "x@kept.example", "x@kept.example") // it is still set aside
	answers(t, next, ask{user: "x@changed.example", pass: wrong}, authhttp.Reject, authlog.UserUnknown, "")
	answers(t, next, ask{user: "x@added.example", pass: wrong}, authhttp.Reject, authlog.UserUnknown, "")
	for range route.MaxFails {
		ticket, _ := next.passdbs["added"].breaker.Allow()
		ticket.Failed(errDown)
	}
	if want := []string{"added passdb open"}; !slices.Equal(changes[2:], want) {
		t.Errorf("reported %q after the reload, want %q", changes[2:], want)
	}

	again, againClosed := closing("kept", "1")
	last := New(withPassdbs(again), route.NewResolver(nil))
	last.Inherit(next, report)
	next.Close(last)
	closed("after another reload", 0, 1, 1, 1, 1, 1)
	if *againClosed != 1 || last.passdbs["kept"].Passdb != kept {
		t.Errorf("closed %d times, or another passdb", *againClosed)
	}
	last.Close(nil)
	closed("at the end", 1, 1, 1, 1, 1, 1)
}

// A login in flight keeps its slot over a reload, and what was remembered stays.
func TestInheritWhatPassdbsHold(t *testing.T) {
	kept, _ := closing("kept", "1")
	kept.Directory = &fakeDB{users: map[string]users.User{"x@kept.example": {Name: "x@kept.example", Passwords: passwords(t, "{PLAIN}"+right)}}}
	old := New(withPassdbs(kept), route.NewResolver(nil))
	old.Inherit(nil, nil)
	resolver := old.Resolver
	good := ask{user: "x@kept.example", pass: right}
	answers(t, old, good, authhttp.OK, "", "")
	free := occupy(t, old.passdbs["kept"].slots)
	same, _ := closing("kept", "1")
	next := New(withPassdbs(same), resolver)
	next.Inherit(old, nil)
	old.Close(next)
	if all, _ := next.asking.Callers(); all != kept.MaxConnections {
		t.Errorf("%d logins are in flight, want %d", all, kept.MaxConnections)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if r, e := next.Answer(ctx, good.header()); r.Outcome != authhttp.TempFail {
		t.Errorf("%v without a slot (%s)", r.Outcome, e.Error)
	}
	for range kept.MaxConnections {
		free()
	}
	answers(t, next, good, authhttp.OK, "", "hit")
	wantIdle(t, next)
	next.Close(nil)
}

// A password that was right at a passdb is proved again at one that is configured otherwise.
func TestInheritBinds(t *testing.T) {
	for settings, want := range map[string]authhttp.Outcome{"1": authhttp.OK, "2": authhttp.Reject} {
		name := "x@people.example"
		made := func(settings, password string) *Passdb {
			p, _ := closing("people", settings)
			b := &bindDB{fakeDB: &fakeDB{users: map[string]users.User{name: {Name: name}}}}
			b.setPassword(password)
			p.Lookup = b.lookup
			return p
		}
		old := New(withPassdbs(made("1", right)), route.NewResolver(nil))
		old.Inherit(nil, nil)
		answers(t, old, ask{user: name, pass: right}, authhttp.OK, "", "")
		answers(t, old, ask{user: name, pass: right}, authhttp.OK, "", "hit")
		next := New(withPassdbs(made(settings, wrong)), old.Resolver)
		next.Inherit(old, nil)
		if r, e := next.Answer(t.Context(), ask{user: name, pass: right}.header()); r.Outcome != want {
			t.Errorf("settings %q: %v (%s), want %v", settings, r.Outcome, e.Cache, want)
		}
		old.Close(next)
		next.Close(nil)
	}
}
