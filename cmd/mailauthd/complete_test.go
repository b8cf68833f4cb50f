package main

import (
	"strings"
	"testing"
)

// completed returns the candidates for the last of some words.
func completed(words ...string) map[string]bool {
	var out strings.Builder
	complete(words, &out)
	candidates := make(map[string]bool)
	for line := range strings.Lines(out.String()) {
		candidate, _, _ := strings.Cut(line, "\t")
		candidates[candidate] = true
	}
	return candidates
}

// Every command and every flag can be completed.
func TestCompletionKnowsEveryCommand(t *testing.T) {
	_, flags := usages(t)
	for name, of := range flags {
		words := strings.Fields(name)
		for i, word := range words {
			if before := words[:i]; !completed(append(before[:i:i], "")...)[word] {
				t.Errorf("%q: no candidate %q after %q", name, word, before)
			}
		}
		for f := range of {
			if !completed(append(words, "-")...)["-"+f] {
				t.Errorf("%q: no candidate -%s", name, f)
			}
		}
	}
}

// The flags that take one of a few values exist.
func TestCompletedValuesHaveFlags(t *testing.T) {
	_, flags := usages(t)
	known := make(map[string]bool)
	for _, of := range flags {
		for f := range of {
			known[f] = true
		}
	}
	for _, name := range []string{"by", "method", "protocol", "s"} {
		if !known[name] || len(flagValues(name)) < 3 {
			t.Errorf("flag -%s: exists %v, values %q", name, known[name], flagValues(name))
		}
	}
}
