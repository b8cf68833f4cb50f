package upstream

import (
	"context"
	"testing"
	"time"
)

// soon is a timeout that the test waits out.
const soon = 50 * time.Millisecond

// TestBroken: whatever ends a connection at whatever stage is a temporary failure.
func TestBroken(t *testing.T) {
	for protocol, turns := range dialogue {
		for _, turn := range turns {
			half := turn.says[:len(turn.says)-2] // a line without its end is none
			for name, steps := range map[string][]step{
				"closed":             {hangUp},
				"reset":              {reset},
				"closed in the line": {say(half), hangUp},
				"closed in its end":  {say(half + "\r"), hangUp},
			} {
				t.Run(protocol+" "+turn.stage+" "+name, func(t *testing.T) {
					_, err := login(t, t.Context(), patience, protocol, script(protocol, turn.stage, steps...)...)
					if got := outcomeOf(err); got != tempfail || notInTime(err) {
						t.Errorf("%s (%v), want tempfail at once", got, err)
					}
				})
			}
		}
	}
}

// TestSilent: a server that keeps the client waiting at whatever stage.
func TestSilent(t *testing.T) {
	for protocol, turns := range dialogue {
		for _, turn := range turns {
			for name, steps := range map[string][]step{
				"silent":             nil,
				"silent in the line": {say(turn.says[:len(turn.says)-2])},
				"slow":               {trickle(soon / 10)},
			} {
				t.Run(protocol+" "+turn.stage+" "+name, func(t *testing.T) {
					_, err := login(t, t.Context(), soon, protocol, script(protocol, turn.stage, steps...)...)
					if got := outcomeOf(err); got != tempfail || !notInTime(err) {
						t.Errorf("%s (%v), want tempfail after %v", got, err, soon)
					}
				})
			}
		}
	}
}

// TestCancelled: nobody waits for the answer any more.
func TestCancelled(t *testing.T) {
	for protocol, turns := range dialogue {
		for _, turn := range turns {
			t.Run(protocol+" "+turn.stage, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, err := login(t, ctx, patience, protocol, script(protocol, turn.stage, stop(cancel))...)
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
	s := Server{Protocol: "imap", Addr: m.addr, ConnectTimeout: patience, Timeout: patience}
	if _, err := s.Login(ctx, user, password); outcomeOf(err) != tempfail {
		t.Errorf("error %v, want tempfail", err)
	}
}

// TestJudgedThenSilent: the verdict stands, whatever becomes of the goodbye.
func TestJudgedThenSilent(t *testing.T) {
	for protocol, said := range map[string]struct{ yes, no string }{
		"pop3": {"+OK\r\n", "-ERR\r\n"}, "imap": {"001 OK\r\n", "001 NO\r\n"}, "smtp": {"235 yes\r\n", "535 no\r\n"},
	} {
		for says, want := range map[string]outcome{said.yes: good, said.no: reject} {
			t.Run(protocol+" "+string(want), func(t *testing.T) {
				_, err := login(t, t.Context(), patience, protocol, script(protocol, "answer", say(says))...)
				if got := outcomeOf(err); got != want {
					t.Errorf("%s (%v), want %s", got, err, want)
				}
				_, err = login(t, t.Context(), patience, protocol, script(protocol, "answer", say(says), hangUp)...)
				if got := outcomeOf(err); got != want {
					t.Errorf("closed at once: %s (%v), want %s", got, err, want)
				}
			})
		}
	}
}
