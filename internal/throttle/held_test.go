package throttle

import (
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"
)

func TestHeld(t *testing.T) {
	s := newScene(t, Defaults())
	guesses(10, home, bob)(s)
	distributed(30, alice)(s)
	all(verdict(home, bob, Pair), verdict(mobile, alice, User))(s)
	held := s.throttle.Held(s.now)
	if len(held) != 2 || held[0].Name != "bob@domain1.com from 192.0.2.1" || held[1].Name != "alice@domain02.com" || held[0].Wait <= 0 {
		t.Errorf("%+v", held)
	}
	of := s.throttle.HeldUser(t.Context(), bob, s.now)
	if len(of) != 2 || of[0].Counter != User || of[0].Wait != 0 || math.Round(of[0].Count) != 10 || of[1] != held[0] {
		t.Errorf("of the user %+v", of)
	}
	of = s.throttle.HeldNetwork(t.Context(), addr(home), s.now)
	if len(of) != 2 || of[0].Name != home || of[0].Limit != DefaultNetworkLimit || of[1] != held[0] {
		t.Errorf("of the network %+v", of)
	}
	if of = s.throttle.HeldUser(t.Context(), "carol@domain1.com", s.now); len(of) != 0 {
		t.Errorf("of another user %+v", of)
	}
	if held = s.throttle.Held(s.now.Add(24 * time.Hour)); len(held) != 0 {
		t.Errorf("a day later %+v", held)
	}
	for i := range 2 * MaxHeld {
		s.throttle.note(User, keys{user: uint64(i)}, netip.Prefix{}, fmt.Sprint(i))
	}
	if n := s.throttle.held.Len(); n > MaxHeld {
		t.Errorf("%d names, want at most %d", n, MaxHeld)
	}
}
