package redisdb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

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
