package auth

import (
	"testing"

	"mailauthd/internal/throttle"
)

// Alive takes the way of a login, and counts no failure.
func TestAlive(t *testing.T) {
	a := newAuth(t)
	config := throttle.Defaults()
	a.Throttle = &config
	a.throttle, _ = throttle.New(config, a.Now())
	if err := a.Alive(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := a.Forgive(t.Context(), watchdogUser); n > 0 || err != nil {
		t.Errorf("%d failures were counted, %v", n, err)
	}
	a.Domains = nil // a fault of ours
	if err := a.Alive(t.Context()); err == nil {
		t.Error("alive without domains")
	}
}
