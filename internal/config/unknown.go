package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxSuggested is the length of the longest key that a known one is suggested for. It bounds the time of nearest.
const maxSuggested = 40

// unknownKey says what may have been meant by a key whose last part is not known there, and which parts are.
func unknownKey(key toml.Key, isTable bool, known []string) string {
	name := key[len(key)-1]
	text := "unknown key"
	if near := nearest(name, known); near != "" {
		text += fmt.Sprintf(": did you mean %q?", near)
	} else if places := wholeFile.places(nil, name, isTable); len(places) > 0 {
		text += "; " + belongs(places, key)
	}
	return text + " (known: " + strings.Join(known, ", ") + ")"
}

// belongs names the sections that have a key. The key is where it was found: a table of the same name is meant, and
// rather one in the same section.
func belongs(places []toml.Key, key toml.Key) string {
	elsewhere := func(p toml.Key) bool { return len(p) == 0 || p[0] != key[0] }
	if !slices.ContainsFunc(places, func(p toml.Key) bool { return !elsewhere(p) }) {
		elsewhere = func(toml.Key) bool { return false }
	}
	var texts []string
	for _, p := range slices.DeleteFunc(places, elsewhere) {
		if len(p) == 0 {
			return "it belongs to no section: move it above the first [section]"
		}
		if len(p) > 1 && len(key) > 2 && p[0] == key[0] {
			p[1] = key[1]
		}
		texts = append(texts, "["+p.String()+"]")
	}
	return "it belongs to " + strings.Join(texts, " or ")
}

// places returns the tables that have a key which is a table itself, or which is none.
func (s *schema) places(at toml.Key, name string, isTable bool) (found []toml.Key) {
	if s.named && s.each == nil { // a table of values whose names the administrator chooses
		return nil
	}
	if s.named {
		return s.each.places(append(slices.Clone(at), "NAME"), name, isTable)
	}
	if inner, ok := s.keys[name]; ok && isTable == inner.isTable() {
		found = append(found, slices.Clone(at))
	}
	for _, k := range s.known {
		if inner := s.keys[k]; inner.isTable() {
			found = append(found, inner.places(append(slices.Clone(at), k), name, isTable)...)
		}
	}
	return found
}

// nearest returns the known key that a misspelt one resembles, or "" if none is close.
func nearest(name string, known []string) string {
	if len(name) > maxSuggested {
		return ""
	}
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	best, least := "", max(1, min(len(name)/3, 3))+1
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance returns how many bytes to insert, remove, replace or swap with the next one to make b of a: the optimal
// string alignment distance.
func distance(a, b string) int {
	var before, above []int // the rows of the table for the two bytes of a before this one
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replaced := above[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
