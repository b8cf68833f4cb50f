package upstream

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
)

// shortTimeout is a timeout that a test waits for.
const shortTimeout = 50 * time.Millisecond

// TestBroken checks that a connection that ends at any stage is a temporary failure.
func TestBroken(t *testing.T) {
	for protocol, turns := range dialogue {
		for _, turn := range turns {
			half := turn.half()
			for name, steps := range map[string][]step{
				"closed":             {hangUp},
				"reset":              {reset},
				"closed in the line": {say(half), hangUp},
				"closed in its end":  {say(half + "\r"), hangUp},
			} {
				t.Run(protocol+" "+turn.stage+" "+name, func(t *testing.T) {
					_, err := login(t, t.Context(), longTimeout, protocol, script(protocol, turn.stage, steps...)...)
					if got := outcomeOf(err); got != tempfail || notInTime(err) {
						t.Errorf("%s (%v), want tempfail at once", got, err)
					}
				})
			}
		}
	}
}

// silences returns ways to keep a client waiting for longer than a timeout.
func silences(turn turn, timeout time.Duration) map[string][]step {
	return map[string][]step{
		"silent":             nil,
		"silent in the line": {say(turn.half())},
		"slow":               {trickle(timeout/10, turn.half())},
	}
}

// TestSilent checks servers that keep the client waiting at any stage. All clients wait at the same time, because each one needs
// a timeout within which a slow machine comes to the stage.
func TestSilent(t *testing.T) {
	const wait = 60 * shortTimeout
	before := runtime.NumGoroutine()
	var waiting sync.WaitGroup
	servers := 0
	for route, turns := range dialogue {
		for _, turn := range turns {
			for name, steps := range silences(turn, wait) {
				m := newMailServer(t, script(route, turn.stage, steps...)...)
				servers++
				waiting.Go(func() {
					_, _, err := loginAt(t, t.Context(), serverOn(route, wait), m)
					if got := outcomeOf(err); got != tempfail || !notInTime(err) {
						t.Errorf("%s %s %s: %s (%v), want tempfail after %v", route, turn.stage, name, got, err, wait)
					}
				})
			}
		}
	}
	waiting.Wait()
	waitForGoroutines(t, before+servers)
}

// TestCancelled checks that a login ends with its context.
func TestCancelled(t *testing.T) {
	for protocol, turns := range dialogue {
		for _, turn := range turns {
			t.Run(protocol+" "+turn.stage, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, err := login(t, ctx, longTimeout, protocol, script(protocol, turn.stage, stop(cancel))...)
				if got := outcomeOf(err); got != tempfail {
					t.Errorf("%s (%v), want tempfail", got, err)
				}
			})
		}
	}
}

func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := newMailServer(t)
	s := Server{Protocol: "imap", Addr: m.addr, ConnectTimeout: longTimeout, Timeout: longTimeout}
	if _, err := s.Login(ctx, user, password); outcomeOf(err) != tempfail {
		t.Errorf("error %v, want tempfail", err)
	}
}

// TestAnsweredThenSilent checks that the answer counts whatever happens to the goodbye.
func TestAnsweredThenSilent(t *testing.T) {
	for protocol, said := range map[string]struct{ yes, no string }{
		"pop3": {"+OK\r\n", "-ERR\r\n"}, "imap": {"001 OK\r\n", "001 NO\r\n"}, "smtp": {"235 yes\r\n", "535 no\r\n"},
	} {
		for says, want := range map[string]outcome{said.yes: good, said.no: reject} {
			t.Run(protocol+" "+string(want), func(t *testing.T) {
				_, err := login(t, t.Context(), longTimeout, protocol, script(protocol, "answer", say(says))...)
				if got := outcomeOf(err); got != want {
					t.Errorf("%s (%v), want %s", got, err, want)
				}
				_, err = login(t, t.Context(), longTimeout, protocol, script(protocol, "answer", say(says), hangUp)...)
				if got := outcomeOf(err); got != want {
					t.Errorf("closed at once: %s (%v), want %s", got, err, want)
				}
			})
		}
	}
}
