package main

import "testing"

func TestBallast(t *testing.T) {
	t.Setenv("GOGC", "50")
	if b := newBallast(); b != nil {
		t.Errorf("GOGC is set, and there are %d bytes of ballast", len(b))
	}
}
