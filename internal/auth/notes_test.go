package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/redisdb"
	"mailauthd/internal/throttle"
)

// wantNotes compares the beginnings of the notes.
func wantNotes(t *testing.T, a *Authenticator, user, clientIP string, want ...string) {
	t.Helper()
	notes := a.Notes(t.Context(), user, clientIP, authhttp.IMAP)
	if !slices.EqualFunc(notes, want, strings.HasPrefix) {
		t.Errorf("%s from %s:\n%q, want\n%q", user, clientIP, notes, want)
	}
}

func TestNotesOfTheThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withThrottle(t, newAuth(t), nil)
		a.Throttle = new(throttle.Config)
		wantNotes(t, a, alice, "192.0.2.1")
		guess(t, a, "192.0.2.1", alice, 3, authlog.PasswordMismatch)
		guess(t, a, "192.0.2.2", alice, 3, authlog.PasswordMismatch)
		time.Sleep(time.Minute)
		user := "[throttle] rejects this login: 6 different wrong passwords of this user, the limit is 6; the next login may be tried in 6m32s; \"mailauthd throttle reset " + alice + "\" forgets them"
		for range 2 { // nothing changes
			wantNotes(t, a, "Alice@Users.example", "192.0.2.1", "[throttle] rejects this login: 3 different wrong passwords of this pair, the limit is 3; ", user,
				"[throttle] pair 3 of 3, network 3 of 9, user 6 of 6 wrong passwords, of this machine")
		}
		wantNotes(t, a, alice, "192.0.2.3", user, "[throttle] user 6 of 6 wrong passwords, of this machine")
		wantNotes(t, a, "dave@users.example", "192.0.2.1", "[throttle] network 3 of 9 wrong passwords, of this machine")
		guess(t, a, "192.0.2.1", "bob@users.example", 3, authlog.UserUnknown)
		guess(t, a, "192.0.2.1", "carol@users.example", 3, authlog.UserUnknown)
		wantNotes(t, a, "dave@users.example", "192.0.2.1",
			`[throttle] rejects this login: 9 different wrong passwords of this network, the limit is 9; the next login may be tried in 4m`,
			"[throttle] network 9 of 9 wrong passwords, of this machine")
		a.Throttle.LogOnly = true
		wantNotes(t, a, alice, "192.0.2.3", "[throttle] would reject this login without log_only: ", "[throttle] user 6 of 6 ")
	})
}

func TestNotesOfServersAndCache(t *testing.T) {
	s := startScripted(t, "* OK hi", offered, "001 OK done")
	a := withCache(newUpstreamAuth(t, s.addr()))
	a.Now = time.Now
	server := watched(a)[0]
	good := ask{user: "tim@up.example", pass: right}
	answers(t, a, good, authhttp.OK, "", "")
	remembered := `[cache] remembers 1 right and 0 refused passwords of this user; "mailauthd cache flush tim@up.example" forgets them`
	wantNotes(t, a, good.user, "", remembered)
	s.Close()
	for i := range 3 {
		answers(t, a, ask{user: good.user, pass: fmt.Sprint(i)}, authhttp.TempFail, authlog.InternalFailure, "")
	}
	wantNotes(t, a, good.user, "", `server "up" has been set aside for `, remembered)
	note := a.Notes(t.Context(), good.user, "", authhttp.IMAP)[0]
	if o, _ := a.Health.Of(server, "imap").Outage(); !strings.Contains(note, "because of imap: "+o.Err.Error()+"; a login may try it in ") {
		t.Errorf("note %s", note)
	}
}

// What the configuration that is in use decides is a note, because the file may have changed since.
func TestNotesOfNoUser(t *testing.T) {
	wantNotes(t, newAuth(t), "alice@elsewhere.example", "192.0.2.1", "user_unknown: domain is not listed in [domains]")
}

// The notes tell whether the counters are those of all machines.
func TestNotesOfSharedCounters(t *testing.T) {
	a := withThrottle(t, newAuth(t), nil)
	redis := miniredis.RunT(t)
	keep := share(t, a, redis)
	wantNotes(t, a, alice, "192.0.2.1", "redis has been set aside for 1s: it has not answered yet; this machine counts for itself")
	keep()
	guess(t, a, "192.0.2.1", alice, 2, authlog.PasswordMismatch)
	wantNotes(t, a, alice, "192.0.2.1", "[throttle] pair 2 of 10, network 2 of 100, user 2 of 30 wrong passwords, of all machines")
	redis.SetError("LOADING for the test")
	wantNotes(t, a, alice, "192.0.2.1", "redis has been set aside for ", "[throttle] pair 2 of 10, network 2 of 100, user 2 of 30 wrong passwords, as far as this machine knows")
}

// share lets an Authenticator count in Redis, once the returned function has been called.
func share(t *testing.T, a *Authenticator, redis *miniredis.Miniredis) (keep func()) {
	config := throttle.Defaults()
	config.Shared = true
	a.Throttle = &config
	changes := make(chan redisdb.Change, 10)
	db := redisdb.New(redisdb.Config{Addresses: []string{redis.Addr()}, Prefix: "x:", Timeout: time.Minute, Secret: []byte("0123456789abcdef")},
		redisdb.Handler{Changed: func(c redisdb.Change) { changes <- c }})
	a.Share(db)
	return func() {
		ctx, cancel := context.WithCancel(t.Context())
		kept := make(chan struct{})
		go func() { defer close(kept); db.Keep(ctx) }()
		t.Cleanup(func() { cancel(); <-kept; db.Close() })
		<-changes
	}
}
