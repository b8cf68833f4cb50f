package server

import (
	"testing"
	"time"
)

func TestAlive(t *testing.T) {
	s := start(t)
	s.wantEverywhere(good, "OK")
	before := s.readLog()
	if err := s.Alive(time.Minute); err != nil {
		t.Error(err)
	}
	if s.readLog() != before {
		t.Error("a check of the watchdog is in the log")
	}
	for _, l := range s.listeners {
		l.stuck = func(time.Duration) bool { return true }
		break
	}
	if s.Alive(time.Minute) == nil {
		t.Error("alive although nobody accepts connections on a socket")
	}
}

// While no request can enter a state, Alive does not return.
func TestAliveWaits(t *testing.T) {
	s := start(t)
	busy := s.state.Load().busy
	busy.Lock()
	alive := make(chan error)
	go func() { alive <- s.Alive(time.Minute) }()
	select {
	case err := <-alive:
		t.Errorf("Alive = %v while requests are blocked", err)
	case <-time.After(100 * time.Millisecond): // it would return at once
	}
	busy.Unlock()
	if err := <-alive; err != nil {
		t.Error(err)
	}
}
