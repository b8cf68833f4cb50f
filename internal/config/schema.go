package config

import (
	"reflect"

	"github.com/BurntSushi/toml"
)

// schema describes the keys that a table may have. It is nil for a value, and for a key that
// may have several types: the code that builds from such a key checks it.
type schema struct {
	keys  map[string]*schema
	known []string // the keys in order
	named bool     // the keys are names that the administrator chooses, such as those of users
	each  *schema  // of the table that has such a name

	duration bool // a value
}

// wholeFile is derived from the tags once. Reflection for each key would take longer than
// everything else at load.
var wholeFile = schemaOf(reflect.TypeFor[content]())

func schemaOf(t reflect.Type) *schema {
	if t == reflect.TypeFor[duration]() {
		return &schema{duration: true}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Map:
		return &schema{named: true, each: schemaOf(t.Elem())}
	case reflect.Struct:
		s := &schema{keys: make(map[string]*schema)}
		for _, f := range reflect.VisibleFields(t) {
			if tag := f.Tag.Get("toml"); tag != "" {
				s.keys[tag] = schemaOf(f.Type)
				s.known = append(s.known, tag)
			}
		}
		return s
	}
	return nil
}

// unknown returns the index of the first unknown part of a key, and the keys that are known in
// its place. The index is -1 if all parts are known.
func (s *schema) unknown(key toml.Key) (depth int, known []string) {
	for i, part := range key {
		switch {
		case !s.isTable():
			return -1, nil
		case s.named:
			s = s.each
		default:
			inner, ok := s.keys[part]
			if !ok {
				return i, s.known
			}
			s = inner
		}
	}
	return -1, nil
}

func (s *schema) isTable() bool { return s != nil && !s.duration }

// isDuration reports whether the value of a key is a duration.
func (s *schema) isDuration(key toml.Key) bool {
	for _, part := range key {
		switch {
		case !s.isTable():
			return false
		case s.named:
			s = s.each
		default:
			s = s.keys[part]
		}
	}
	return s != nil && s.duration
}

// isNamed reports whether the tables of a section have names, as in [users.NAME].
func (s *schema) isNamed(section string) bool {
	inner := s.keys[section]
	return inner != nil && inner.named
}
