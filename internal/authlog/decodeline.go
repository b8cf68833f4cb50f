package authlog

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// eachJSON reads one object of strings and numbers, as slog writes it. It calls set for each value without its quotes, which
// is in buffer if it had escapes.
func eachJSON(b []byte, buffer *[]byte, set func(key, value []byte) bool) (ok bool) {
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' {
		return false
	}
	for rest := b[1:]; ; {
		key, after, ok := cutQuoted(rest)
		if !ok || len(after) == 0 || after[0] != ':' {
			return false
		}
		value, after, ok := cutJSON(after[1:], buffer)
		if !ok || !set(key, value) {
			return false
		}
		switch after[0] {
		case '}':
			return len(after) == 1
		case ',':
			rest = after[1:]
		default:
			return false
		}
	}
}

// cutJSON cuts a string or a number, which something must follow.
func cutJSON(b []byte, buffer *[]byte) (value, after []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		end := bytes.IndexAny(b, ",}")
		if end <= 0 {
			return nil, nil, false
		}
		return b[:end], b[end:], true
	}
	value, after, ok = cutQuoted(b)
	if ok && bytes.IndexByte(value, '\\') >= 0 {
		var s string
		ok = json.Unmarshal(b[:len(b)-len(after)], &s) == nil
		*buffer = append((*buffer)[:0], s...)
		value = *buffer
	}
	return value, after, ok && len(after) > 0
}

// cutQuoted cuts a text in quotes, in which a backslash may be before any byte. The text keeps these.
func cutQuoted(b []byte) (text, after []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[1:i], b[i+1:], true
		}
	}
	return nil, nil, false
}

// eachLogfmt reads pairs such as a=b and a="b c", as slog writes them.
func eachLogfmt(b []byte, buffer *[]byte, set func(key, value []byte) bool) (ok bool) {
	for {
		equals := bytes.IndexByte(b, '=')
		if equals <= 0 {
			return false
		}
		value, after, ok := cutLogfmt(b[equals+1:], buffer)
		if !ok || !set(b[:equals], value) {
			return false
		}
		switch {
		case len(after) == 0:
			return true
		case after[0] != ' ':
			return false
		}
		b = after[1:]
	}
}

func cutLogfmt(b []byte, buffer *[]byte) (value, after []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		end := bytes.IndexByte(b, ' ')
		if end < 0 {
			end = len(b)
		}
		return b[:end], b[end:], true
	}
	value, after, ok = cutQuoted(b)
	if ok && bytes.IndexByte(value, '\\') >= 0 {
		s, err := strconv.Unquote(string(b[:len(b)-len(after)]))
		*buffer = append((*buffer)[:0], s...)
		value, ok = *buffer, err == nil
	}
	return value, after, ok
}
