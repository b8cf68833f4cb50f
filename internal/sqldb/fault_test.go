package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// findAtOnce looks bob up on n connections at the same time.
func findAtOnce(d *DB, n int) (errs []error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			u, err := d.Find(context.Background(), "bob@x.org")
			if err == nil && (u == nil || !right(u, "one")) {
				err = fmt.Errorf("found %v", u)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errs
}

// slowly returns the query of the mailboxes with a wait of some seconds.
func (s *server) slowly(seconds float64) string {
	wait := "SLEEP(%v) = 0"
	if s.driver == "pgsql" {
		wait = "pg_sleep(%v) IS NOT NULL"
	}
	return s.query() + " AND " + fmt.Sprintf(wait, seconds)
}

// bob makes the table with one user.
func (s *server) bob(t testing.TB) {
	t.Helper()
	s.table(t)
	s.insert(t, "bob@x.org", "password", "one")
}

func TestRestart(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, func(c *Config) { c.Query = s.slowly(0.1) })
		if errs := findAtOnce(d, DefaultMaxConnections); errs != nil {
			t.Fatal(errs)
		}
		if open := d.Stats().Open; open < 2 {
			t.Fatalf("%d connections: want several", open)
		}
		s.stopNow()
		for _, err := range findAtOnce(d, DefaultMaxConnections) {
			checkQueryError(t, err, "connection refused")
		}
		s.start(t)
		if errs := findAtOnce(d, DefaultMaxConnections); errs != nil {
			t.Errorf("after the server was away: %v", errs)
		}
		s.stopNow()
		s.start(t)
		if errs := findAtOnce(d, DefaultMaxConnections); errs != nil { // with the idle connections of before
			t.Errorf("after a restart: %v", errs)
		}
	})
}

// TestRestartUnderLoad tests that lookups which run while the server stops and starts fail, or find the user.
func TestRestartUnderLoad(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, nil)
		stop := make(chan struct{})
		var found, failed atomic.Int64
		var wg sync.WaitGroup
		for range 2 * DefaultMaxConnections {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					u, err := d.Find(context.Background(), "bob@x.org")
					switch {
					case err != nil && errors.Is(err, ErrQuery):
						failed.Add(1)
					case err != nil || u == nil || !right(u, "one"):
						t.Errorf("%v, %v", u, err)
						return
					default:
						found.Add(1)
					}
				}
			})
		}
		until(t, "a thousand lookups", func() bool { return found.Load() > 1000 })
		s.stopNow()
		until(t, "some lookups fail", func() bool { return failed.Load() > 100 })
		s.start(t)
		before := found.Load()
		until(t, "another thousand lookups", func() bool { return found.Load() > before+1000 })
		close(stop)
		wg.Wait()
		t.Logf("%d found, %d failed", found.Load(), failed.Load())
	})
}

// TestConnectionsEnd tests that no lookup fails when the server ends idle connections.
func TestConnectionsEnd(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, func(c *Config) { c.Query = s.slowly(0.1) })
		if errs := findAtOnce(d, DefaultMaxConnections); errs != nil {
			t.Fatal(errs)
		}
		if s.driver == "pgsql" {
			s.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mailauthd'")
		} else {
			s.exec(t, "KILL USER mailauthd")
		}
		if errs := findAtOnce(d, DefaultMaxConnections); errs != nil {
			t.Error(errs)
		}
	})
}

// TestStatementsAreLost tests a pooler that gives a connection to another client meanwhile.
func TestStatementsAreLost(t *testing.T) {
	s := servers["pgsql"](t)
	s.bob(t)
	d := s.db(t, func(c *Config) { c.MaxConnections = 1 })
	for _, reset := range []string{"DEALLOCATE ALL", "DISCARD ALL"} {
		find(t, d, "bob@x.org")
		if _, err := d.client.(*pgsql).pool.Exec(context.Background(), reset); err != nil {
			t.Fatal(err)
		}
		if errs := findAtOnce(d, 3); errs != nil {
			t.Errorf("%s: %v", reset, errs)
		}
	}
}

func TestHangs(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, func(c *Config) { c.Timeout = 500 * time.Millisecond })
		find(t, d, "bob@x.org")
		s.signal(syscall.SIGSTOP)
		begin := time.Now()
		errs := findAtOnce(d, 2*DefaultMaxConnections)
		took := time.Since(begin)
		s.signal(syscall.SIGCONT)
		if len(errs) != 2*DefaultMaxConnections || took > 10*d.Timeout {
			t.Errorf("%d errors after %v", len(errs), took)
		}
		for _, err := range errs {
			checkQueryError(t, err, "no answer in time (timeout = 500ms, max_connections = 8, of which ")
		}
		until(t, "a lookup succeeds again", func() bool { return findAtOnce(d, 1) == nil })
	})
}

// TestSlow tests that slow queries do not keep their connections longer than the deadline.
func TestSlow(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, func(c *Config) {
			c.MaxConnections, c.Timeout, c.Query = 2, 300*time.Millisecond, s.slowly(30)
			if s.driver == "mysql" {
				c.Connect += "?max_statement_time=0.5" // ends the query in the server
			}
		})
		for range 3 {
			for _, err := range findAtOnce(d, 2) {
				checkQueryError(t, err, "no answer in time (timeout = 300ms")
			}
		}
		d.users = s.db(t, nil).users
		until(t, "a quick lookup succeeds", func() bool { return findAtOnce(d, 1) == nil })
	})
}

func TestWaitsForAConnection(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, func(c *Config) { c.MaxConnections, c.Timeout, c.Query = 1, time.Second, s.slowly(0.7) })
		errs := findAtOnce(d, 2)
		if len(errs) != 1 {
			t.Fatalf("errors %v, want one", errs)
		}
		checkQueryError(t, errs[0], "no answer in time (timeout = 1s, max_connections = 1, of which ")
	})
}

// TestClientGoes tests that a client cannot cost us connections.
func TestClientGoes(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, func(c *Config) { c.MaxConnections, c.Query = 1, s.slowly(0.3) })
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() {
			_, err := d.Find(ctx, "bob@x.org")
			done <- err
		}()
		until(t, "the query runs", func() bool { return d.Stats().Busy == 1 })
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := d.Stats(); got.Open != 1 || got.Errors != 0 {
			t.Errorf("%+v", got)
		}
		if _, err := d.Find(ctx, "bob@x.org"); !errors.Is(err, context.Canceled) || errors.Is(err, ErrQuery) || d.Stats().Queries != 1 {
			t.Errorf("%v after %d queries", err, d.Stats().Queries)
		}
		ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, err := d.Find(ctx, "bob@x.org")
		checkQueryError(t, err, "no answer in time")
	})
}

func TestClose(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, nil)
		find(t, d, "bob@x.org")
		d.Close()
		_, err := d.Find(context.Background(), "bob@x.org")
		checkQueryError(t, err, "closed")
	})
}

func TestSchemaChanges(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		d := s.db(t, nil)
		find(t, d, "bob@x.org")
		change := "ALTER TABLE mailbox MODIFY password text"
		if s.driver == "pgsql" {
			change = "ALTER TABLE mailbox ALTER COLUMN password TYPE text"
		}
		s.exec(t, change)
		if errs := findAtOnce(d, 3); errs != nil {
			t.Errorf("another type: %v", errs)
		}
		s.exec(t, "ALTER TABLE mailbox DROP COLUMN pass")
		_, err := d.Find(context.Background(), "bob@x.org")
		checkQueryError(t, err, "pass")
		s.exec(t, "ALTER TABLE mailbox ADD COLUMN pass varchar(20)")
		if errs := findAtOnce(d, 3); errs != nil {
			t.Errorf("with the column again: %v", errs)
		}
		revoked, missing := "denied", "mailbox"
		s.exec(t, "REVOKE SELECT ON mailbox FROM mailauthd")
		_, err = d.Find(context.Background(), "bob@x.org")
		checkQueryError(t, err, revoked)
		s.exec(t, "DROP TABLE mailbox")
		_, err = d.Find(context.Background(), "bob@x.org")
		checkQueryError(t, err, missing)
		s.bob(t)
		if errs := findAtOnce(d, 3); errs != nil {
			t.Errorf("with the table again: %v", errs)
		}
	})
}

func TestTooManyConnections(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.bob(t)
		set := func(n int) { s.exec(t, fmt.Sprintf("ALTER USER mailauthd WITH MAX_USER_CONNECTIONS %d", n)) }
		unlimited := 0
		if s.driver == "pgsql" {
			set = func(n int) { s.exec(t, fmt.Sprintf("ALTER ROLE mailauthd CONNECTION LIMIT %d", n)) }
			unlimited = -1
		}
		set(1)
		defer set(unlimited)
		first, second := s.db(t, nil), s.db(t, nil)
		find(t, first, "bob@x.org")
		_, err := second.Find(context.Background(), "bob@x.org")
		if err == nil || !strings.Contains(err.Error(), "too many connections") {
			checkQueryError(t, err, "max_user_connections")
		}
		find(t, first, "bob@x.org")
		set(unlimited)
		find(t, second, "bob@x.org")
	})
}

func TestCannotConnect(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		for _, tt := range []struct{ old, new, want string }{
			{testSecret, "wr0ngDSN", "SQLSTATE 28"},
			{fmt.Sprint(s.port), "1", "connection refused"},
			{"127.0.0.1", "no-such-host.invalid", "no-such-host.invalid"},
			{"dbname=postgres", "dbname=nonesuch", "3D000"},
			{"/mail", "/nonesuch", "SQLSTATE 42000"},
		} {
			if !strings.Contains(s.dsn(s.port), tt.old) {
				continue
			}
			d := s.db(t, func(c *Config) { c.Connect = strings.Replace(c.Connect, tt.old, tt.new, 1) })
			_, err := d.Find(context.Background(), "bob@x.org")
			checkQueryError(t, err, tt.want)
			if err != nil && strings.Contains(err.Error(), "wr0ng") {
				t.Error(err)
			}
			if _, err := d.Columns(context.Background()); err == nil {
				t.Errorf("%s: columns", tt.new)
			}
		}
	})
}

// TestMessagesThatQuoteParameters tests errors of the server whose messages have the user name in them.
func TestMessagesThatQuoteParameters(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		create := []string{"DROP FUNCTION IF EXISTS fails", `CREATE FUNCTION fails(s varchar(255), state int) RETURNS int DETERMINISTIC BEGIN
			IF state = 1 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = s; END IF;
			SIGNAL SQLSTATE '42000' SET MESSAGE_TEXT = s; RETURN 1; END`, "GRANT EXECUTE ON mail.* TO mailauthd"}
		if s.driver == "pgsql" {
			create = []string{`CREATE OR REPLACE FUNCTION fails(s text, state int) RETURNS int AS $$ BEGIN
				IF state = 1 THEN RAISE EXCEPTION '%', s; END IF;
				RAISE EXCEPTION '%', s USING ERRCODE = '42501', DETAIL = s; END $$ LANGUAGE plpgsql`}
		}
		s.exec(t, create...)
		for state, want := range map[int]string{1: "the message is left out", 2: "quotes a parameter, and is left out"} {
			d := s.db(t, func(c *Config) { c.Query = fmt.Sprintf("SELECT fails(%%{user}, %d) AS password", state) })
			_, err := d.Find(context.Background(), "bob@x.org")
			checkFailure(t, err, want)
			if outage := errors.Is(err, ErrQuery); outage != (state == 2) {
				t.Errorf("state %d: an outage is %v", state, outage)
			}
		}
		if s.driver == "pgsql" {
			d := s.db(t, func(c *Config) { c.Query = "SELECT password FROM mailbox WHERE 7 = %{user | username}" })
			s.table(t)
			_, err := d.Find(context.Background(), "bob@x.org")
			checkFailure(t, err, "SQLSTATE 22P02 (the message is left out")
			if errors.Is(err, ErrQuery) {
				t.Error("a client can cause an outage")
			}
		}
	})
}
