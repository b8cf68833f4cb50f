package ldapdb

import (
	"context"
	"sync"
	"testing"
	"time"
)

func normalServer(t *testing.T) *scripted {
	return script(t, func(r request) bool { r.normal(); return true })
}

func find(t *testing.T, d *DB) {
	t.Helper()
	if u, err := d.Find(context.Background(), "alice@example.com"); u == nil || err != nil {
		t.Fatal(u, err)
	}
}

// TestIdle closes a connection that was not used for a while, but not one that is in use.
func TestIdle(t *testing.T) {
	s := normalServer(t)
	d := newDB(t, s.config())
	find(t, d)
	c := d.searches.take()
	d.searches.expire(c) // a timer that fires while the connection is taken
	if !c.usable() || d.searches.connections() != 1 {
		t.Fatal("a connection in use was closed")
	}
	d.searches.put(c)
	d.searches.expire(c)
	if c.usable() || d.searches.connections() != 0 {
		t.Error("an idle connection was not closed")
	}
	find(t, d)
	if n := s.accepted.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

// TestAge replaces a connection that is too old.
func TestAge(t *testing.T) {
	s := normalServer(t)
	d := newDB(t, s.config())
	find(t, d)
	find(t, d)
	if n := s.accepted.Load(); n != 1 {
		t.Fatalf("%d connections for two searches", n)
	}
	d.searches.idle[0].until = time.Now()
	find(t, d)
	if n := s.accepted.Load(); n != 2 || d.searches.connections() != 1 {
		t.Errorf("%d connections, %d open", n, d.searches.connections())
	}
}

func TestClose(t *testing.T) {
	s := normalServer(t)
	d := newDB(t, s.config())
	find(t, d)
	d.Close()
	if n := d.Stats().Searches.Connections; n != 0 {
		t.Errorf("%d connections after Close", n)
	}
	find(t, d)
	eventually(t, "a search after Close leaves no connection", func() bool { return d.Stats().Searches.Connections == 0 })
}

// TestConcurrent never has more connections than allowed, and never mixes the answers up.
func TestConcurrent(t *testing.T) {
	s := theSlapd(t)
	c := s.bindConfig()
	c.MaxConnections = 3
	d := newDB(t, c)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			user, password, want := "alice@example.com", "alice-secret", Accepted
			if i%3 == 1 {
				password, want = "wrong", WrongPassword
			} else if i%3 == 2 {
				user, want = "nobody@example.com", NoSuchUser
			}
			for range 20 {
				if got, err := bind(t, d, user, password); got != want || err != nil {
					t.Errorf("%s, %s: %v, %v", user, password, got, err)
				}
			}
		})
	}
	all.Wait()
	if st := d.Stats(); st.Searches.Connections > 3 || st.Binds.Connections > 3 || st.Binds.Count != 240 || st.Binds.Errors != 0 {
		t.Errorf("%+v", st)
	}
}
