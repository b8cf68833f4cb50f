package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
)

var (
	errPair      = errors.New("broken name-value pair")
	errName      = errors.New("variable without a name, or with one of more than " + strconv.Itoa(MaxName) + " bytes")
	errVariables = errors.New("more than " + strconv.Itoa(MaxVariables) + " variables")
	errDuplicate = errors.New("duplicate header")
)

// cutPair cuts the first name-value pair off b (section 3.4).
func cutPair(b []byte) (name, value, rest []byte, err error) {
	n, b, ok1 := cutLength(b)
	v, b, ok2 := cutLength(b)
	if !ok1 || !ok2 || n > len(b) || v > len(b)-n {
		return nil, nil, nil, errPair
	}
	return b[:n], b[n : n+v], b[n+v:], nil
}

// cutLength cuts a length off b. It has one byte, or four if the highest bit is set.
func cutLength(b []byte) (n int, rest []byte, ok bool) {
	switch {
	case len(b) > 0 && b[0] < 0x80:
		return int(b[0]), b[1:], true
	case len(b) >= 4:
		return int(binary.BigEndian.Uint32(b) &^ (1 << 31)), b[4:], true
	}
	return 0, nil, false
}

// checkParams refuses variables that net/http/fcgi would misread: it stops at a broken pair, and
// keeps the last of duplicate headers. Duplicates of other variables are allowed, because web
// servers do send some, and mean the last.
func checkParams(b []byte) error {
	var array [64][]byte // names of headers
	headers := array[:0]
	for count := 1; len(b) > 0; count++ {
		name, _, rest, err := cutPair(b)
		switch {
		case err != nil:
			return err
		case len(name) == 0 || len(name) > MaxName:
			return errName
		case count > MaxVariables:
			return errVariables
		}
		b = rest
		if !bytes.HasPrefix(name, []byte("HTTP_")) {
			continue
		}
		if slices.ContainsFunc(headers, func(h []byte) bool { return bytes.Equal(h, name) }) {
			return errDuplicate
		}
		headers = append(headers, name)
	}
	return nil
}

// valuesResult returns the answer to GET_VALUES. Names that the specification does not have are
// left out (section 4.1).
func valuesResult(query []byte) ([]byte, error) {
	var content []byte
	for len(query) > 0 {
		name, _, rest, err := cutPair(query)
		if err != nil {
			return nil, err
		}
		query = rest
		value := ""
		switch string(name) {
		case "FCGI_MAX_CONNS":
			value = strconv.Itoa(MaxConns)
		case "FCGI_MAX_REQS":
			value = strconv.Itoa(MaxRequests)
		case "FCGI_MPXS_CONNS":
			value = "0"
		default:
			continue
		}
		content = append(content, byte(len(name)), byte(len(value)))
		content = append(append(content, name...), value...)
	}
	return appendRecord(nil, typeGetValuesResult, 0, content...), nil
}
