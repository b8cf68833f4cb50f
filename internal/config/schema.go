package config

import (
	"reflect"

	"github.com/BurntSushi/toml"
)

// schema says which keys may stand in a table. It is nil for a value, and for what
// may have several types: that is checked where it is built.
type schema struct {
	keys  map[string]*schema
	known []string // the keys in order
	named bool     // the keys are names, such as those of users
	each  *schema  // what such a name holds
}

// wholeFile is made of the tags once: reflection for each key would take longer than all
// the rest of loading.
var wholeFile = schemaOf(reflect.TypeFor[content]())

func schemaOf(t reflect.Type) *schema {
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

// unknown returns which part of a key stands for nothing, -1 if all do, and what
// could have stood there.
func (s *schema) unknown(key toml.Key) (depth int, known []string) {
	for i, part := range key {
		switch {
		case s == nil:
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

// isNamed tells a section whose tables have names, such as [users.NAME].
func (s *schema) isNamed(section string) bool {
	inner := s.keys[section]
	return inner != nil && inner.named
}
