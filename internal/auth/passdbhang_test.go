package auth

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/route"
	"mailauthd/internal/users"
)

// hangingDirectory never answers a query, which has a deadline.
type hangingDirectory struct {
	timeout time.Duration
	queries atomic.Int64
}

func (d *hangingDirectory) Find(ctx context.Context, _ string) (*users.User, error) {
	d.queries.Add(1)
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	<-ctx.Done()
	return nil, ctx.Err()
}
func (*hangingDirectory) Decoy(string) *users.User { return nil }
func (*hangingDirectory) HasMasters() bool         { return false }

// Logins that wait for a slot while a passdb hangs send no query after it has been set aside.
func TestWaitingLoginsSparePassdb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const connections, logins = 4, 40
		d := &hangingDirectory{timeout: 2 * time.Second}
		a := New(Config{Methods: []string{"plain"}, Passdbs: []*Passdb{{
			Name: "vmail", Directory: d, MaxConnections: connections, IsOutage: func(error) bool { return true }, Close: func() {},
		}}}, route.NewResolver(nil))
		a.Directory = userMap(t)
		setDomains(a, &route.Domain{Name: "sql.example", Verify: "vmail", Servers: []*route.Server{newServer("box1", "192.0.2.1")}})
		a.Inherit(nil, func(route.Change) {})
		var wg sync.WaitGroup
		begin := time.Now()
		for i := range logins {
			wg.Go(func() {
				r, _ := a.Answer(t.Context(), from(fmt.Sprintf("192.0.2.%d", i), "bob@sql.example", right))
				if r.Outcome != authhttp.TempFail {
					t.Errorf("outcome %v", r.Outcome)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took > 2*d.timeout || d.queries.Load() > 2*connections {
			t.Errorf("%d logins took %v and sent %d queries, want at most %v and %d", logins, took, d.queries.Load(), 2*d.timeout, 2*connections)
		}
	})
}

// A passdb that hangs, with as many connections as it may have, leaves room for users of another one.
func TestHangingPassdbLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &Passdb{
			Name: "hangs", Directory: &hangingDirectory{timeout: 2 * time.Second}, MaxConnections: MaxPassdbConnections,
			Timeout: 2 * time.Second, IsOutage: func(error) bool { return true }, Close: func() {},
		}
		works := (&fakeDB{users: map[string]users.User{"x@works.example": {Name: "x@works.example", Passwords: passwords(t, "{PLAIN}"+right)}}}).passdb()
		works.Name = "works"
		a := New(withPassdbs(hangs, works), route.NewResolver(nil))
		a.Inherit(nil, nil)
		var logins sync.WaitGroup
		for i := range 2 * MaxAsking {
			logins.Go(func() { a.Answer(t.Context(), from(fmt.Sprintf("192.0.2.%d", i%250), "bob@hangs.example", right)) })
		}
		synctest.Wait()
		if r, e := a.Answer(t.Context(), from("198.51.100.1", "x@works.example", right)); r.Outcome != authhttp.OK {
			t.Errorf("a user of another passdb: %v (%s)", r.Outcome, e.Error)
		}
		logins.Wait()
	})
}
