package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/spelling"
)

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
	return spelling.Nearest(strings.ReplaceAll(strings.ToLower(name), "-", "_"), known)
}
