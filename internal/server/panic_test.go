package server

import (
	"strings"
	"testing"
)

// spoil makes the next requests panic.
func (s *site) spoil(change func(st *state)) (repair func()) {
	old := s.state.Load()
	broken := *old
	a := *old.auth
	broken.auth = &a
	change(&broken)
	s.state.Store(&broken)
	return func() { s.state.Store(old) }
}

func TestPanicInTheDecision(t *testing.T) {
	s := start(t)
	kept, err := s.endpoints["unix"].dial()
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	repair := s.spoil(func(st *state) { st.auth.Domains = nil })
	s.wantEverywhere(good, trouble)
	if head, err := overFastCGI(kept, good); field(head, "Auth-Status") != trouble || err != nil {
		t.Errorf("%q, %v", head, err)
	}
	repair()
	s.wantEverywhere(good, "OK")
	if head, err := overFastCGI(kept, good); field(head, "Auth-Status") != "OK" || err != nil {
		t.Errorf("%q, %v", head, err)
	}
	if said := s.stderr.String(); !strings.Contains(said, "panic (runtime.") || strings.Contains(said, "goroutine") {
		t.Errorf("standard error: %s", said)
	}
}

// A panic outside the decision too fails only one request, and no login succeeds by it.
func TestPanicOutsideOfTheDecision(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(st *state)
	}{
		{"no decision", func(st *state) { st.auth = nil }},
		{"no clock", func(st *state) { st.auth.Now = nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t)
			repair := s.spoil(tt.change)
			s.wantEverywhere(good, trouble)
			repair()
			s.wantEverywhere(good, "OK")
			if said := s.stderr.String(); !strings.Contains(said, "panic") {
				t.Errorf("standard error: %s", said)
			}
		})
	}
}
