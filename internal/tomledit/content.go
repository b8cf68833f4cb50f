package tomledit

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// decodeValues checks the keys and values of tables, and returns the decoded values.
func decodeValues(tables []Table) ([][]any, error) {
	values := make([][]any, len(tables))
	for i, t := range tables {
		for _, part := range t.Path {
			if !utf8.ValidString(part) {
				return nil, errors.New("the name of a table is not UTF-8: TOML cannot hold it")
			}
		}
		for _, kv := range t.Keys {
			if !utf8.ValidString(kv.Key) {
				return nil, errors.New("a key is not UTF-8: TOML cannot hold it")
			}
			v, ok := decodeValue(kv.Value)
			if !ok {
				return nil, fmt.Errorf("%s: the new value is not exactly one TOML value", append(toml.Key(t.Path[:len(t.Path):len(t.Path)]), kv.Key))
			}
			values[i] = append(values[i], v)
		}
	}
	return values, nil
}

// decodeValue decodes a TOML literal. ok is false if there is anything else, such as a second
// line, or a comment that would hide the rest of an inline table.
func decodeValue(literal string) (value any, ok bool) {
	line := "v = " + literal
	var p unstable.Parser
	p.Reset([]byte(line))
	if !p.NextExpression() || p.Expression().Kind != unstable.KeyValue || int(p.Expression().Raw.Length) != len(line) {
		return nil, false
	}
	var content map[string]any
	if _, err := toml.Decode(line, &content); err != nil {
		return nil, false
	}
	return content["v"], true
}

// put sets a value in decoded content, and reports whether that was possible.
func put(content map[string]any, table []string, key string, value any) bool {
	for _, part := range table {
		if content[part] == nil {
			content[part] = make(map[string]any)
		}
		inner, ok := content[part].(map[string]any)
		if !ok {
			return false
		}
		content = inner
	}
	content[key] = value
	return true
}

// remove removes a table from decoded content, and the tables above it that are then empty.
func remove(content map[string]any, table []string) {
	inner, ok := content[table[0]].(map[string]any)
	if ok && len(table) > 1 {
		remove(inner, table[1:])
	}
	if len(table) == 1 || ok && len(inner) == 0 {
		delete(content, table[0])
	}
}

// equal reports whether decoded content is equal. Unlike for reflect.DeepEqual, NaN is equal to
// itself.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if other, ok := b[k]; !ok || !equal(a[k], other) {
				return false
			}
		}
		return true
	case []map[string]any:
		b, ok := b.([]map[string]any)
		return ok && equalSlices(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && equalSlices(a, b)
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || math.IsNaN(a) && math.IsNaN(b))
	}
	return reflect.DeepEqual(a, b)
}

func equalSlices[T any](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}
