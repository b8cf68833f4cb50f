package auth

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/cache"
	"mailauthd/internal/limit"
	"mailauthd/internal/users"
)

// A login after which nginx would have no password for the server is rejected with the right password as with a
// wrong one.
func TestNoPasswordForNginxTellsNothing(t *testing.T) {
	a := newAuth(t)
	var err error
	a.Directory, err = users.New([]users.User{
		{Name: alice, Passwords: []users.Password{{Hash: hashOf(t, "{CRAM-MD5}37bff7672f7de56170a4344769bbdd98b9e7961c29c5f0c20e1a173edee71246")}}},
		{Name: "slow@users.example", Passwords: []users.Password{{Hash: hashOf(t, "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1")}}},
		{Name: "admin@users.example", Passwords: []users.Password{{Hash: hashOf(t, "{PLAIN}"+right)}}, Extra: &users.Settings{Master: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []ask{
		{method: "cram-md5", user: alice, pass: cram("right"), salt: salt},
		{method: "cram-md5", user: alice, pass: cram(wrong), salt: salt},
		{user: "slow@users.example*admin@users.example", pass: right},
		{user: "slow@users.example*admin@users.example", pass: wrong},
	} {
		if r, e := answer(t, a, in.header()); r.Outcome != authhttp.Reject {
			t.Errorf("%s of %s: %v (%s %s)", in.method, in.user, r.Outcome, e.Reason, e.Error)
		}
	}
}

// A master's password is remembered alike, right or wrong, for a name that does not exist.
func TestMasterOfNobodyIsRemembered(t *testing.T) {
	a := withCache(newSite(t))
	for _, cached := range []string{"", "hit"} {
		answers(t, a, ask{user: "ghost@users.example*admin@users.example", pass: "admin-" + marker}, authhttp.Reject, authlog.UserUnknown, cached)
		answers(t, a, ask{user: "ghost@users.example*admin@users.example", pass: wrong}, authhttp.Reject, authlog.PasswordMismatch, cached)
	}
}

// A password that was refused for one name is not remembered for another one of the same user, or it would show that both
// are names of one user.
func TestAliasesAreRememberedApart(t *testing.T) {
	a := withCache(newSite(t))
	answers(t, a, ask{user: alice, pass: wrong}, authhttp.Reject, authlog.PasswordMismatch, "")
	answers(t, a, ask{user: "info@users.example", pass: wrong}, authhttp.Reject, authlog.PasswordMismatch, "")
	answers(t, a, ask{user: "INFO@users.example", pass: wrong}, authhttp.Reject, authlog.PasswordMismatch, "hit")
	if n, _ := a.FlushCache(func(user string) bool { return user == alice }); n != 2 {
		t.Errorf("%d answers flushed, want those of both names", n)
	}
}

// A login that had too little time left after waiting for a slot does not show that no server can be reached.
func TestStaleNotAfterWaiting(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel connects, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	a := withCache(newUpstreamAuth(t, silent.Addr().(*net.TCPAddr).AddrPort()))
	now := time.Now()
	a.Now = func() time.Time { return now }
	server := a.Domains.Find("up.example").Servers[0]
	server.Timeout = 300 * time.Millisecond
	req, err := authhttp.ReadRequest(tim.header())
	if err != nil {
		t.Fatal(err)
	}
	at := &attempt{login: &login{Request: req}}
	if _, found := a.find(t.Context(), at.login); !found {
		t.Fatal("no such user in the map")
	}
	key := a.cache.Key(atServers{a}.scope(at), "", tim.user, "imap", right)
	a.cache.Store(key, tim.user, cache.Answer{Good: true}, a.cache.Epoch(), now)
	now = now.Add(time.Hour)
	answers(t, a, tim, authhttp.OK, "", "stale")

	free := occupy(t, a.servers["up"].slots)
	time.AfterFunc(100*time.Millisecond, free)
	answers(t, a, tim, authhttp.TempFail, authlog.InternalFailure, "")
	for range a.servers["up"].slots.Config().Slots - 1 {
		free()
	}
	wantIdle(t, a)
}

// A single network leaves room at the mail servers, however many there are.
func TestOneNetworkAtManyServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t)
		var names []string
		for _, name := range []string{"a", "b", "c", "d"} {
			a.add(newServer(name, "192.0.2.1"))
			names = append(names, name)
		}
		for _, tt := range []struct {
			client limit.Client
			want   int
		}{{limit.Client{Known: true}, MaxAsking / 2}, {limit.Client{Trusted: true}, MaxAsking - MaxAsking/2}} {
			n := 0
			for i := range 4 * MaxAsking {
				go func() {
					_, err := a.servers[names[i%4]].slots.Acquire(t.Context(), 0, tt.client)
					if err == nil {
						n++
					}
				}()
				synctest.Wait()
			}
			if n != tt.want {
				t.Errorf("%+v has %d slots at four servers, want %d", tt.client, n, tt.want)
			}
		}
	})
}
