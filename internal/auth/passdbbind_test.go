package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/access"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/users"
)

// bindDB is a fakeDB that proves passwords by binds.
type bindDB struct {
	*fakeDB
	right  atomic.Pointer[string] // the password of all users
	reason authlog.Reason         // of a right password
	err    error                  // of a bind
	during func(context.Context)  // is called in each bind
	binds  []string               // USER PASSWORD of each
}

func newBindAuth(t testing.TB) (*Authenticator, *bindDB) {
	t.Helper()
	a, f := newDBAuth(t)
	for name, u := range f.users {
		u.Passwords = nil
		f.users[name] = u
	}
	b := &bindDB{fakeDB: f}
	b.setPassword(right)
	p := f.passdb()
	p.Lookup = b.lookup
	a.usePassdb(p)
	return a, b
}

func (b *bindDB) setPassword(s string) { b.right.Store(&s) }

func (b *bindDB) lookup(ctx context.Context, name string) (*users.User, Bind, error) {
	u, err := b.Find(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	dn := "nobody"
	if u != nil {
		dn = u.Name
	}
	return u, func(ctx context.Context, pass string) (authlog.Reason, string, error) {
		b.mu.Lock()
		b.binds = append(b.binds, dn+" "+pass)
		b.mu.Unlock()
		if b.during != nil {
			b.during(ctx)
		}
		switch {
		case b.err != nil:
			return "", "", b.err
		case u == nil:
			return authlog.UserUnknown, "no such user", nil
		case pass != *b.right.Load():
			return authlog.PasswordMismatch, "wrong password", nil
		case b.reason != "":
			return b.reason, "the account is locked", nil
		}
		return "", "", nil
	}, nil
}

// wantBinds wants these binds since the last call.
func (b *bindDB) wantBinds(t *testing.T, want ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if fmt.Sprint(b.binds) != fmt.Sprint(want) {
		t.Errorf("binds %q, want %q", b.binds, want)
	}
	b.binds = nil
}

func TestBind(t *testing.T) {
	mismatch := no(authlog.PasswordMismatch, `passdb "vmail": wrong password`)
	unknown := no(authlog.UserUnknown, `passdb "vmail": no such user`)
	for _, tt := range []struct {
		name, user, pass string
		want             told
		binds            []string
	}{
		{"right", dora, right, ok(box, "", ""), []string{dora + " " + right}},
		{"wrong", dora, wrong, mismatch, []string{dora + " " + wrong}},
		{"unknown", nora, right, unknown, []string{"nobody " + right}},
		{"empty", dora, "", no(authlog.Policy, "empty password"), nil},
		{"alias", "info@db.example", right, ok(box, dora, ""), []string{dora + " " + right}},
		{"extension", "dora+x@db.example", right, ok(box, dora, ""), []string{dora + " " + right}},
		{"an entry with its extension", "dora+shop@db.example", right, ok(box, "", ""), []string{"dora+shop@db.example " + right}},
		{"extension of nobody", "nora+x@db.example", right, unknown, []string{"nobody " + right}},
		{"host and login", "dest@db.example", right, ok(box, "DEST", "up-"+marker), []string{"dest@db.example " + right}},
		{"host", "store@db.example", right, ok(store, "", ""), []string{"store@db.example " + right}},
		{"a password in the map", "toml@db.example", "toml-" + marker, ok(box, "", ""), nil},
		{"an alias for a password in the map", "tom@db.example", "toml-" + marker, ok(box, "toml@db.example", ""), nil},
		{"unknown host", "lost@db.example", right, later(authlog.InternalFailure, `passdb "vmail": user "lost@db.example": field host: `), nil},
		{"master user", "dest@db.example*admin@users.example", "admin-" + marker, ok(box, "DEST", "up-"+marker), nil},
		{"master user's wrong password", "dest@db.example*admin@users.example", right, no(authlog.PasswordMismatch, ""), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := newBindAuth(t)
			if tt.want.reason != "" && tt.want.detail == "" {
				tt.want.detail = "password does not match"
			}
			wantTold(t, a, ask{user: tt.user, pass: tt.pass}.header(), tt.want)
			b.wantBinds(t, tt.binds...)
		})
	}
}

// The reason of a right password that lets nobody in is in the log. The client does not see it.
func TestReasonOfABind(t *testing.T) {
	a, b := newBindAuth(t)
	want, _ := answer(t, a, ask{user: dora, pass: wrong}.header())
	for _, reason := range []authlog.Reason{authlog.UserDisabled, authlog.Policy} {
		b.reason = reason
		r, e := answer(t, a, ask{user: dora, pass: right}.header())
		if r != want || e.Reason != reason || e.Error != `passdb "vmail": the account is locked` {
			t.Errorf("%+v, %s %s", r, e.Reason, e.Error)
		}
	}
	b.reason, b.err = "", errors.New("the directory is down")
	if e := answers(t, a, ask{user: dora, pass: right}, authhttp.TempFail, authlog.InternalFailure, ""); e.Error != "the directory is down" {
		t.Errorf("the log says %q", e.Error)
	}
}

// A user that the rules keep out is never bound with the client's password.
func TestBindOfAUserKeptOut(t *testing.T) {
	for name, with := range map[string]func(*Authenticator) *Authenticator{
		"cached": withCache, "not cached": func(a *Authenticator) *Authenticator { return a },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newBindAuth(t)
			a = with(a)
			for user, reason := range map[string]authlog.Reason{"far@db.example": authlog.Policy, "out@db.example": authlog.UserDisabled} {
				b.binds = nil
				for _, pass := range []string{right, wrong} {
					answers(t, a, ask{user: user, pass: pass}, authhttp.Reject, reason, "")
				}
				if got := strings.Join(b.binds, " "); len(b.binds) != 2 || strings.Contains(got, marker) || b.binds[0] == b.binds[1] {
					t.Errorf("%d binds as %s, with %t", len(b.binds), user, strings.Contains(got, marker))
				}
			}
		})
	}
}

// A digest, and a certificate without the user's name, cannot be proved by a bind, and none is tried.
func TestOtherMethodsDoNotBind(t *testing.T) {
	a, b := newBindAuth(t)
	a.UserFrom = "emailAddress"
	for user, want := range map[string]authlog.Reason{dora: authlog.SchemeNotAvailable, nora: authlog.UserUnknown} {
		r, e := answer(t, a, ask{method: "cram-md5", user: user, pass: cram(right), salt: salt}.header())
		if r.Outcome != authhttp.Reject || r.Text != failed || e.Reason != want {
			t.Errorf("%s: %v %s (%s), want %s", user, r.Outcome, e.Reason, e.Error, want)
		}
	}
	h := ask{method: "external", user: "dest@db.example"}.header()
	h.Del("Auth-Pass")
	h.Set("Auth-Ssl-Verify", "SUCCESS")
	h.Set("Auth-Ssl-Subject", "emailAddress=dest@db.example")
	wantTold(t, a, h, ok(box, "DEST", "up-"+marker))
	h.Set("Auth-Ssl-Subject", "emailAddress="+dora)
	wantTold(t, a, h, no(authlog.PasswordMismatch, "certificate is neither"))
	b.wantBinds(t)
}

// What a bind says is remembered until it is flushed, or the ttl ends. A changed hash counts at once.
func TestPassdbIsRemembered(t *testing.T) {
	good, bad := ask{user: dora, pass: right}, ask{user: dora, pass: wrong}
	a, f := newDBAuth(t)
	a = withCache(a)
	for _, cached := range []string{"", "hit"} {
		answers(t, a, good, authhttp.OK, "", cached)
		answers(t, a, bad, authhttp.Reject, authlog.PasswordMismatch, cached)
	}
	f.wantAsked(t, dora, dora, dora, dora) // the entry is not remembered
	for range 2 {                          // a user as the next query finds it is the same one
		u := f.users[dora]
		u.Passwords = passwords(t, "{PLAIN}"+right)
		f.users[dora] = u
		answers(t, a, good, authhttp.OK, "", "hit")
	}
	f.users[dora] = users.User{Name: dora, Passwords: passwords(t, "{PLAIN}"+wrong)}
	answers(t, a, good, authhttp.Reject, authlog.PasswordMismatch, "")
	answers(t, a, bad, authhttp.OK, "", "")
	delete(f.users, dora)
	answers(t, a, good, authhttp.Reject, authlog.UserUnknown, "")
	f.err = errDown // a remembered password does not find the user
	answers(t, a, bad, authhttp.TempFail, authlog.InternalFailure, "")
}

func TestBindIsRemembered(t *testing.T) {
	good, bad := ask{user: dora, pass: right}, ask{user: dora, pass: wrong}
	a, b := newBindAuth(t)
	a = withCache(a)
	for _, cached := range []string{"", "hit"} {
		answers(t, a, good, authhttp.OK, "", cached)
		answers(t, a, bad, authhttp.Reject, authlog.PasswordMismatch, cached)
		answers(t, a, ask{user: nora, pass: right}, authhttp.Reject, authlog.UserUnknown, cached)
	}
	b.setPassword(wrong)
	answers(t, a, good, authhttp.OK, "", "hit")
	b.wantBinds(t, dora+" "+right, dora+" "+wrong, "nobody "+right)
	if n, _ := a.FlushCache(func(user string) bool { return user == dora }); n != 2 {
		t.Errorf("%d answers are forgotten", n)
	}
	answers(t, a, good, authhttp.Reject, authlog.PasswordMismatch, "")
	answers(t, a, bad, authhttp.OK, "", "")

	b.reason = authlog.UserDisabled
	answers(t, a, ask{user: "store@db.example", pass: wrong}, authhttp.Reject, authlog.UserDisabled, "")
	b.reason, b.err = "", errors.New("the directory is down")
	good, bad = ask{user: "many@db.example", pass: wrong}, ask{user: "many@db.example", pass: right}
	answers(t, a, good, authhttp.TempFail, authlog.InternalFailure, "")
	b.err = nil
	answers(t, a, good, authhttp.OK, "", "") // a failure is not remembered
	answers(t, a, bad, authhttp.Reject, authlog.PasswordMismatch, "")
	u := b.users["many@db.example"] // nor does what is remembered go before the rules
	u.Extra = new(u.Settings())
	u.Extra.Access = access.Rules{NoLogin: new(true)}
	b.users["many@db.example"] = u
	for _, cached := range []string{"", "hit"} {
		answers(t, a, good, authhttp.Reject, authlog.UserDisabled, cached)
		answers(t, a, bad, authhttp.Reject, authlog.UserDisabled, cached)
	}
}

// What is remembered of an alias does not count when it has become that of another user.
func TestBindOfAnotherUserIsNotRemembered(t *testing.T) {
	a, b := newBindAuth(t)
	a = withCache(a)
	in := ask{user: "info@db.example", pass: right}
	answers(t, a, in, authhttp.OK, "", "")
	answers(t, a, in, authhttp.OK, "", "hit")
	b.users[in.user] = users.User{Name: "many@db.example"}
	answers(t, a, in, authhttp.OK, "", "")
	b.wantBinds(t, dora+" "+right, "many@db.example "+right)
}

// Binds have the slots of the passdb. Logins that are the same share one.
func TestSlotsForBinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newBindAuth(t)
		a = withCache(withThrottle(t, a, nil))
		a.Trace = func(string, ...any) {} // set once, because logins run at the same time
		var at, most atomic.Int32
		b.during = func(context.Context) {
			if n := at.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			at.Add(-1)
		}
		done := make(chan authhttp.Outcome)
		login := func(ip, user, pass string) {
			r, _ := a.Answer(t.Context(), from(ip, user, pass))
			done <- r.Outcome
		}
		for range 10 {
			go login("192.0.2.1", dora, right)
		}
		for range 10 {
			if o := <-done; o != authhttp.OK {
				t.Error(o)
			}
		}
		b.wantBinds(t, dora+" "+right)
		for i := range 30 {
			go login("192.0.2.2", dora, fmt.Sprint(wrong, i))
		}
		synctest.Wait()
		begin := time.Now()
		meanwhile(t, a, from("198.51.100.1", "many@db.example", right))
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("a login from another network took %v", took)
		}
		for range 30 {
			if o := <-done; o == authhttp.OK {
				t.Error(o)
			}
		}
		if n := most.Load(); n > 4 {
			t.Errorf("%d binds at a time", n)
		}
		if n := len(b.binds); n > 9 { // the throttle is asked again after waiting
			t.Errorf("%d binds", n)
		}
		wantIdle(t, a)
	})
}
