package redisdb

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alicebob/miniredis/v2"
)

func TestAnnounce(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	a, b := newMachine(t, Config{Addresses: []string{redis.Addr()}}), newMachine(t, Config{Addresses: []string{redis.Addr()}})
	for _, m := range []machine{a, b} {
		m.waitUp(t, true)
	}
	machines := []machine{a, b}
	if err := a.Announce(t.Context(), "flush", "first"); err != nil {
		t.Fatal(err)
	}
	for _, m := range machines { // one that did not listen yet has missed it
		poll(t, "not heard", func() bool {
			return strings.Contains(m.String(), "first") || strings.Contains(m.String(), "missed 1")
		})
	}
	if err := b.Announce(t.Context(), "flush", "bob@x.org *"); err != nil {
		t.Fatal(err)
	}
	for _, m := range machines {
		poll(t, "not heard", func() bool { return strings.Contains(m.String(), `"flush bob@x.org *"]`) })
	}
}

// A machine that was cut off sees from the number of announcements that it has missed some.
func TestMissed(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	m := newMachine(t, Config{Addresses: []string{redis.Addr()}})
	m.waitUp(t, true)
	missed := func(want int) {
		t.Helper()
		poll(t, "missed: "+m.String(), func() bool { return strings.Contains(m.String(), fmt.Sprintf("missed %d,", want)) })
	}
	redis.HIncrBy("test:{1}:site", "epoch", 1) // while the machine did not listen
	if err := m.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	missed(1)
	if err := m.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	missed(1)
	sealed := m.secrets.seal("flush bob@x.org")
	m.Client.announced("3 " + sealed) // number 2 was not heard
	missed(2)
	m.Client.announced("4 " + sealed)
	m.Client.announced("4 " + sealed) // late
	missed(2)
	m.Client.announced("5 " + newSecrets([]byte("other")).seal("flush bob@x.org"))
	missed(3)
	m.Client.announced("nonsense")
	missed(3)
	if got := m.String(); !strings.Contains(got, `["flush bob@x.org"]`) {
		t.Errorf("%s, want one announcement", got)
	}
	redis.FlushAll()
	if err := m.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Keep looks as well, and may see the same loss.
	poll(t, "not missed", func() bool { return !strings.Contains(m.String(), "missed 3,") })
}

// Announcements wait for Redis. If there are too many, the others must drop everything.
func TestAnnounceLater(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	a, b := newMachine(t, Config{Addresses: []string{redis.Addr()}}), newMachine(t, Config{Addresses: []string{redis.Addr()}})
	a.waitUp(t, true)
	b.waitUp(t, true)
	poll(t, "not subscribed", func() bool { return redis.PubSubNumSub(b.channel())[b.channel()] == 2 })
	redis.SetError("LOADING")
	a.setAside(errLost)
	for range MaxAnnouncements + 1 {
		if err := a.Announce(t.Context(), "flush", "bob@x.org"); err == nil {
			t.Error("no error while Redis is set aside")
		}
	}
	redis.SetError("")
	a.waitUp(t, true)
	poll(t, "announcements are neither heard nor missed", func() bool {
		known, got := b.known.Load(), b.String()
		if known == nil || fmt.Sprint(known.epoch) != redis.HGet("test:{1}:site", "epoch") || strings.Contains(got, "missed 0,") {
			return false
		}
		// A look, such as the one after a subscription, may see announcements before they are heard: then they are missed.
		return !strings.Contains(got, "missed 1,") || strings.Count(got, "flush bob@x.org") == MaxAnnouncements-1
	})
}

// A reload ends Keep. Afterwards the handler is busy with no announcement.
func TestKeepWaitsForHandler(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	ctx, cancel := context.WithCancel(t.Context())
	var done atomic.Bool
	busy := func() {
		cancel()
		for range 10_000 {
			runtime.Gosched() // so that Keep could return
		}
		done.Store(true)
	}
	c := New(Config{Addresses: []string{redis.Addr()}, Prefix: "test:"}, Handler{
		Announced: func(string, string) { busy() },
		Missed:    busy, // if it did not listen yet
	})
	defer c.Close()
	kept := make(chan struct{})
	go func() { defer close(kept); c.Keep(ctx) }()
	machine{Client: c}.waitUp(t, true)
	poll(t, "the client does not listen", func() bool { return len(redis.PubSubChannels("")) == 1 })
	if err := c.Announce(t.Context(), "flush", "bob@x.org"); err != nil {
		t.Fatal(err)
	}
	<-kept
	if !done.Load() {
		t.Error("Keep has returned while the handler was busy")
	}
}
