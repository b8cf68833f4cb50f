package main

import "testing"

func TestCollector(t *testing.T) {
	t.Setenv("GOGC", "50")
	if b := setCollector(); b != nil {
		t.Errorf("GOGC is set, and there are %d bytes of ballast", len(b))
	}
}
