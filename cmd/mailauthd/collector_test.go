package main

import "testing"

func TestCollector(t *testing.T) {
	t.Setenv("GOGC", "50")
	if b := setCollector(); b != nil {
		t.Errorf("%d bytes of ballast, want none because GOGC is set", len(b))
	}
}
