package e2e

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Bounds of the faults.
const (
	faultWorkers = 8
	faultLogins  = 100                   // that succeed, before and after a server is stopped
	faultDown    = 50                    // temporary failures while it is stopped
	sqlWaits     = 6 * time.Second       // the longest login with a server that hangs: the timeout is 2 s, and some wait for a slot before
	ldapWaits    = 9 * time.Second       // the same; a slow answer alone is no reason to set a directory aside
	faultBack    = 30 * time.Second      // until the users of a server that runs again can log in
	hungLogins   = 20                    // at the same time, to a server that hangs; some wait for a slot
	mapLogins    = 100                   // of a user in the map, before
	slowedBy     = 50 * time.Millisecond // as a median of these, because other tests run at the same time
)

// The answers that a right password may get.
const (
	granted = "OK"
	later   = "Temporary authentication failure"
)

// testPassdbFaults takes the servers away and breaks the tables. A right password is never answered as a wrong one, and
// users in the map do not notice.
func testPassdbFaults(t *testing.T, d *passdbSite) {
	servers := []struct {
		name string
		*database
		users []account
		waits time.Duration
	}{
		{"pgsql", d.postgres, []account{vera, viola}, sqlWaits},
		{"mysql", d.mariadb, []account{pat, penny}, sqlWaits},
		{"ldap", d.slapd, []account{cora, dana, edda}, ldapWaits},
	}
	for _, s := range servers {
		t.Run("stopped and started/"+s.name, func(t *testing.T) { d.testRestart(t, s.database, s.users, s.waits) })
	}
	t.Run("hanging", func(t *testing.T) {
		for _, s := range servers {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				d.testHang(t, func() func() { return s.freeze(t) }, s.users[0], s.waits)
			})
		}
	})
	testPassdbConnections(t, d)
	for _, b := range []struct {
		name           string
		server         *database
		user           account
		status         string
		broken, mended string
	}{
		{"permission/pgsql", d.postgres, vera, later, "REVOKE SELECT ON users FROM mailauthd", "GRANT SELECT ON users TO mailauthd"},
		{"permission/mysql", d.mariadb, pat, later, "REVOKE SELECT ON mailbox FROM mailauthd@localhost", "GRANT SELECT ON mailbox TO mailauthd@localhost"},
		{"column/pgsql", d.postgres, vera, later, "ALTER TABLE users RENAME password TO secret", "ALTER TABLE users RENAME secret TO password"},
		{"column/mysql", d.mariadb, pat, later, "ALTER TABLE mailbox RENAME COLUMN password TO secret", "ALTER TABLE mailbox RENAME COLUMN secret TO password"},
		{"type/pgsql", d.postgres, vera, granted, "ALTER TABLE users ALTER password TYPE text", "ALTER TABLE users ALTER password TYPE varchar(300)"},
		{"connections/pgsql", d.postgres, vera, granted, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mailauthd'", "SELECT 1"},
	} {
		t.Run(b.name, func(t *testing.T) {
			b.server.exec(t, b.broken)
			loginRequest{account: b.user}.check(t, d.socket, b.status)
			loginRequest{account: tom}.check(t, d.socket, granted)
			b.server.exec(t, b.mended)
			d.waitBack(t, b.user)
		})
	}
}

// answers counts what right passwords were answered.
type answers struct {
	granted, later atomic.Int64
	mu             sync.Mutex
	longest        time.Duration
}

// logIn logs a user in with the right password.
func (n *answers) logIn(t *testing.T, d *passdbSite, a account) (status string) {
	t.Helper()
	header, took, err := loginRequest{account: a}.ask(d.socket)
	if err != nil {
		t.Errorf("%s: %v", a.user, err)
		return ""
	}
	switch status = header.Get("Auth-Status"); status {
	case granted:
		n.granted.Add(1)
	case later:
		n.later.Add(1)
	default:
		t.Errorf("%s: Auth-Status %q for the right password", a.user, status)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.longest = max(n.longest, took)
	return status
}

// testRestart stops a server in the middle of logins, and starts it again.
func (d *passdbSite) testRestart(t *testing.T, b *database, users []account, waits time.Duration) {
	var n, fromMap answers
	var workers sync.WaitGroup
	over := make(chan struct{})
	work := func(logIn func(i int)) {
		workers.Go(func() {
			for i := 0; ; i++ {
				logIn(i)
				select {
				case <-over:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	for range faultWorkers {
		work(func(i int) { n.logIn(t, d, users[i%len(users)]) })
	}
	work(func(int) { fromMap.logIn(t, d, tom) })
	reached := func(when string, count *atomic.Int64, more int64) {
		want := count.Load() + more
		if !poll(faultBack, nil, func() bool { return count.Load() >= want }) {
			t.Errorf("%s: %d logins, want %d within %v", when, count.Load(), want, faultBack)
		}
	}
	reached("before", &n.granted, faultLogins)
	b.halt(t)
	reached("stopped", &n.later, faultDown)
	b.run()
	reached("started again", &n.granted, faultLogins)
	close(over)
	workers.Wait()
	t.Logf("%d logins granted, %d temporary failures, %v the longest; %d of the map", n.granted.Load(), n.later.Load(), n.longest, fromMap.granted.Load())
	if fromMap.later.Load() > 0 || n.longest > waits {
		t.Errorf("%d temporary failures of the map; the longest login took %v, want at most %v", fromMap.later.Load(), n.longest, waits)
	}
}

// testHang makes a server hang, or so slow that no answer comes in time. Logins of its users must end in time, and those
// of users in the map must be about as fast as before.
func (d *passdbSite) testHang(t *testing.T, hang func() (undo func()), user account, waits time.Duration) {
	d.waitBack(t, user)
	var n, fromMap answers
	before := d.medianOf(t, &fromMap, nil)
	undo := hang()
	var logins sync.WaitGroup
	for range hungLogins {
		logins.Go(func() { n.logIn(t, d, user) })
	}
	ended := make(chan struct{})
	go func() { logins.Wait(); close(ended) }()
	meanwhile := d.medianOf(t, &fromMap, ended)
	undo()
	t.Logf("%d temporary failures, %v the longest; of the map %v, before %v", n.later.Load(), n.longest, meanwhile, before)
	if n.granted.Load() > 0 || n.longest > waits {
		t.Errorf("%d logins were granted, the longest took %v, want none and at most %v", n.granted.Load(), n.longest, waits)
	}
	if fromMap.later.Load() > 0 || meanwhile > 10*before+slowedBy {
		t.Errorf("users in the map: %d temporary failures, median %v, before %v", fromMap.later.Load(), meanwhile, before)
	}
	d.waitBack(t, user)
}

// medianOf logs in a user of the map, some times or until over, and returns the median of the times.
func (d *passdbSite) medianOf(t *testing.T, n *answers, over <-chan struct{}) time.Duration {
	t.Helper()
	var times []time.Duration
	for over != nil || len(times) < mapLogins {
		begin := time.Now()
		n.logIn(t, d, tom)
		times = append(times, time.Since(begin))
		select {
		case <-over:
			return median(times)
		case <-time.After(time.Millisecond):
		}
	}
	return median(times)
}

// waitBack waits until a user can log in. The server may still be set aside.
func (d *passdbSite) waitBack(t *testing.T, a account) {
	t.Helper()
	var n answers
	if !poll(faultBack, nil, func() bool { return n.logIn(t, d, a) == granted }) {
		t.Errorf("%s cannot log in, %v after the fault", a.user, faultBack)
	}
}

// TestPassdbDownAtStart starts mailauthd while its database is down.
func TestPassdbDownAtStart(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	s, d := startLogfmt(t, aliceTOML+fmt.Sprintf("[passdb.vmail]\ndriver = \"pgsql\"\nconnect = \"host=%s user=mailauthd password=%s dbname=mail\"\n"+
		"query = \"SELECT password FROM users WHERE name = %%{user}\"\n", dir, mark)+domainTOML("domain1.com", "vmail"))
	loginRequest{account: alice}.check(t, s.socket, granted)
	loginRequest{account: bob}.check(t, s.socket, later)
	if e := d.lastEvent(t); e["reason"] != "internal_failure" {
		t.Errorf("event %v", e)
	}
	for _, tt := range []struct {
		flags  []string
		status int
		want   string
	}{
		{nil, 0, "configuration OK"},
		{[]string{"-online"}, 1, "passdb vmail: "},
	} {
		c := runClient(t, "", binary, append([]string{"check", asSelf(), "-config", d.config}, tt.flags...)...)
		if c.status != tt.status || !strings.Contains(c.output, tt.want) || strings.Contains(c.output+c.trace, mark) {
			t.Errorf("check %v: exit status %d, want %d and %q, and no password:\n%s%s", tt.flags, c.status, tt.status, tt.want, c.output, c.trace)
		}
	}
}
