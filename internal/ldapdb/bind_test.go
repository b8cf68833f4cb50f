package ldapdb

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestBind(t *testing.T) {
	s := theSlapd(t)
	d := newDB(t, s.bindConfig())
	tests := []struct {
		user, password string
		want           Result
	}{
		{"alice@example.com", "alice-secret", Accepted},
		{"alice@example.com", "alice-second", Accepted},
		{"alice@example.com", "bob-secret", WrongPassword},
		{"alice@example.com", "alice-secret ", WrongPassword},
		{"alice@example.com", "", WrongPassword},
		{"alice@example.com", strings.Repeat("p", 65536), WrongPassword},
		{"alice@example.com", "alice-secret\x00", WrongPassword},
		{"nobody@example.com", "alice-secret", NoSuchUser},
		{"nobody@example.com", "", WrongPassword},
		{strings.Repeat("x", 70000) + "@example.com", "alice-secret", NoSuchUser},
		{"nopass@example.com", "alice-secret", WrongPassword},
		{"old@example.com", "wrong", WrongPassword},
		{"old@example.com", "old-secret", PasswordExpired},
		{"odd@example.com", "odd-secret", WrongPassword},
	}
	for _, test := range tests {
		if got, err := bind(t, d, test.user, test.password); got != test.want || err != nil {
			t.Errorf("%.20s, %s: %v, %v; want %v", test.user, test.password, got, err, test.want)
		}
	}
	if got, want := d.Stats().Binds.Count, uint64(len(tests)-2); got != want {
		t.Errorf("%d binds, want %d: an empty password must not be sent", got, want)
	}
}

func TestLocked(t *testing.T) {
	d := newDB(t, ownSlapd(t).bindConfig())
	for range 2 {
		if got, err := bind(t, d, "locked@example.com", "wrong"); got != WrongPassword || err != nil {
			t.Fatal(got, err)
		}
	}
	for _, password := range []string{"wrong", "locked-secret"} {
		if got, err := bind(t, d, "locked@example.com", password); got != Locked || err != nil {
			t.Errorf("%s: %v, %v", password, got, err)
		}
	}
}

func TestBindUserDN(t *testing.T) {
	s := theSlapd(t)
	c := s.bindConfig()
	c.AuthDN, c.AuthPassword, c.Filter, c.Scope, c.Fields = "", "", "", "", nil
	c.BindUserDN = "uid=%{user | username}," + base
	d := newDB(t, c)
	for password, want := range map[string]Result{"alice-secret": Accepted, "wrong": WrongPassword, "": WrongPassword} {
		if got, err := bind(t, d, "alice@example.com", password); got != want || err != nil {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if got, err := bind(t, d, "nobody@example.com", "alice-secret"); got != WrongPassword || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if n := d.Stats().Searches; n.Count != 0 || n.Connections != 0 {
		t.Errorf("searches %+v", n)
	}
}

// TestPoolsAreSeparate has the server's log show that a connection that was bound as a user never searches an entry.
func TestPoolsAreSeparate(t *testing.T) {
	s := ownSlapd(t)
	d := newDB(t, s.bindConfig())
	for range 5 {
		if got, err := bind(t, d, "alice@example.com", "alice-secret"); got != Accepted || err != nil {
			t.Fatal(got, err)
		}
	}
	conns := func(lines []string) map[string]bool {
		set := make(map[string]bool)
		for _, line := range lines {
			_, rest, _ := strings.Cut(line, "conn=")
			id, _, _ := strings.Cut(rest, " ")
			set[id] = true
		}
		return set
	}
	eventually(t, "the last bind is logged", func() bool { return len(s.logged(t, `BIND dn="uid=alice,`)) >= 10 })
	searched, bound := conns(s.logged(t, "(mail=")), conns(s.logged(t, `BIND dn="uid=alice,`))
	if len(searched) != 1 || len(bound) != 1 {
		t.Errorf("connections of searches %v, of binds %v: want one each", searched, bound)
	}
	for id := range searched {
		if bound[id] {
			t.Errorf("connection %s was searched with and bound as a user", id)
		}
	}
}

// A refusal that has compared no hash takes as long as one that has.
func TestPace(t *testing.T) {
	p := newPace()
	p.compared(true, time.Hour)
	if got := p.of("nobody"); got != time.Hour {
		t.Errorf("without a refused password: %v", got)
	}
	p.compared(false, 20*time.Millisecond)
	if got := p.of("nobody"); got != 20*time.Millisecond {
		t.Errorf("with a refused password: %v", got)
	}
	began := time.Now()
	p.wait(context.Background(), "nobody", 5*time.Millisecond)
	if took := time.Since(began); took < 14*time.Millisecond {
		t.Errorf("waited %v", took)
	}
	for range 10 * remembered {
		p.compared(false, time.Second)
	}
	if got := p.of("nobody"); got != time.Second {
		t.Errorf("an old bind is still remembered: %v", got)
	}
}
