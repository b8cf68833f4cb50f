package redisdb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

func TestLost(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	m := newMachine(t, Config{Addresses: []string{redis.Addr()}})
	m.waitUp(t, true)
	redis.FlushAll()
	if _, err := m.Run(t.Context(), echoCall("")); !errors.Is(err, errLost) {
		t.Errorf("%v, want %v", err, errLost)
	}
	m.waitUp(t, true)
	poll(t, "not told that data was lost", func() bool { return strings.Contains(m.String(), "false true") })
}

// Redis may lose its data while a machine brings in what happened before. Then the machine brings back what was lost, until
// that succeeds.
func TestLostWhileBringingIn(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	m := New(Config{Addresses: []string{redis.Addr()}, Prefix: "test:", Secret: []byte("a secret of sixteen bytes or more")}, Handler{})
	defer m.Close()
	if err := m.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	var broughtIn []bool
	failing := errors.New("failed")
	m.OnBack(func(ctx context.Context, lost bool) error {
		broughtIn = append(broughtIn, lost)
		switch len(broughtIn) {
		case 1:
			redis.FlushAll()
			return m.Look(ctx)
		case 2:
			return failing
		}
		return nil
	})
	for i, want := range []error{failing, nil, nil} {
		if err := m.bringIn(t.Context()); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", i, err, want)
		}
	}
	if want := []bool{false, true, true, false}; !slices.Equal(broughtIn, want) {
		t.Errorf("told of lost data %v, want %v", broughtIn, want)
	}
}

// Redis may lose its data again while a machine brings in what was missing. Then the machine brings in what it has seen,
// before it uses Redis.
func TestLostAgain(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	m := newMachine(t, Config{Addresses: []string{redis.Addr()}})
	m.waitUp(t, true)
	again := true
	m.OnBack(func(ctx context.Context, lost bool) error {
		up, _, _ := m.Up()
		m.note(func() { m.broughtIn = append(m.broughtIn, lost && !up) })
		if again {
			again = false
			redis.FlushAll()
			return m.Look(ctx) // as the goroutine does that listens
		}
		return nil
	})
	m.setAside(errors.New("an error"))
	poll(t, "not brought in", func() (done bool) {
		m.note(func() { done = slices.Contains(m.broughtIn, true) })
		return done
	})
	m.waitUp(t, true)
}

// A machine that has seen more writes than Redis has knows that an older state was restored. The others know it from the
// new id.
func TestRestored(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	var lost [2][]bool
	var machines [2]*Client
	for i := range machines {
		c := New(Config{Addresses: []string{redis.Addr()}, Prefix: "test:", Timeout: patient, Secret: []byte("a secret of sixteen bytes or more")}, Handler{})
		defer c.Close()
		c.OnBack(func(_ context.Context, l bool) error { lost[i] = append(lost[i], l); return nil })
		machines[i] = c
	}
	look := func(i int) {
		t.Helper()
		if err := machines[i].Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := machines[i].bringIn(t.Context()); err != nil {
			t.Fatal(err)
		}
		machines[i].change(Change{Up: true})
	}
	look(0)
	look(1)
	write := Call{Script: NewScript(`local writes = redis.call('HINCRBY', KEYS[1], 'writes', 1)
return {redis.call('HGET', KEYS[1], 'id'), writes - 1, writes}`)}
	for range 3 {
		if _, err := machines[0].Run(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	redis.HSet("test:{1}:site", "writes", "2")
	if _, err := machines[1].Run(t.Context(), write); err != nil {
		t.Errorf("%v, but this machine has seen no write", err)
	}
	redis.HSet("test:{1}:site", "writes", "2")
	if _, err := machines[0].Run(t.Context(), write); !errors.Is(err, errOlder) {
		t.Errorf("%v, want %v", err, errOlder)
	}
	redis.HSet("test:{1}:site", "writes", "2")
	look(0)
	look(1)
	look(0)
	for i, got := range lost {
		if !got[1] || got[len(got)-1] && len(got) > 2 {
			t.Errorf("machine %d was told of %v", i, got)
		}
	}
	if n := redis.HGet("test:{1}:site", "writes"); n < "3" {
		t.Errorf("%s writes, want at least 3", n)
	}
}

// A machine that has just begun may make the site anew after Redis has lost its data several times. Its id is later than all
// that the others know, so that they do not take the site for an older one.
func TestSiteOfNewMachine(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	var ids []string
	old := newScratch(t, redis)
	for _, c := range []*Client{old, old, newScratch(t, redis), old} {
		if len(ids) < 3 {
			redis.FlushAll()
		}
		if err := c.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.known.Load().id)
		redis.SetTime(time.Now().Add(time.Duration(len(ids)) * time.Minute))
	}
	if ids[3] != ids[2] {
		t.Errorf("ids %v, want the last one kept", ids)
	}
	for i := range 2 {
		if ids[i+1] <= ids[i] {
			t.Errorf("ids %v, want each later than the one before", ids)
		}
	}
}

func newScratch(t *testing.T, redis *miniredis.Miniredis) *Client {
	c := New(Config{Addresses: []string{redis.Addr()}, Prefix: "test:", Timeout: patient, Secret: []byte("a secret of sixteen bytes or more")}, Handler{})
	t.Cleanup(func() { c.Close() })
	return c
}

// A reply from before Redis lost its data may arrive late. The new site does not lack the writes that such a reply counts.
func TestLateReplyOfLostSite(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	c := newScratch(t, redis)
	if err := c.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := c.known.Load()
	redis.FlushAll()
	if err := c.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := c.known.Load().id
	before.sawWrites(7)
	if err := c.Look(t.Context()); err != nil || c.known.Load().id != id {
		t.Errorf("%v, want the site kept", err)
	}
}

// A machine that has found that Redis lacks writes does not forget it when others write before it looks.
func TestRestoredAndWritten(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	c := newScratch(t, redis)
	if err := c.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := c.known.Load()
	before.sawWrites(3)
	read := Call{Script: NewScript(`local site = redis.call('HMGET', KEYS[1], 'id', 'writes')
return {site[1], tonumber(site[2]), tonumber(site[2])}`)}
	if _, err := c.Apply(t.Context(), read); !errors.Is(err, errOlder) {
		t.Errorf("%v, want %v", err, errOlder)
	}
	redis.HSet("test:{1}:site", "writes", "4")
	for range 2 {
		if err := c.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if now := c.known.Load(); now.id == before.id || redis.HGet("test:{1}:site", "generation") != "1" {
		t.Errorf("%+v, want another id, and one new generation", now)
	}
}
