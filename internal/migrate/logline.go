package migrate

import (
	"bytes"
	"time"
)

// field is what a line of the log holds. The order is that in which a request's lines are written.
type field int

const (
	methodField field = iota
	userField
	saltField
	protocolField
	clientField
	sslField
	backendField
	portField
	replyField
	statusField
	otherField // nothing that is compared: Reason, and what variants of the script add
	numFields  = int(otherField)
)

// valueColumn is where the value begins after the time.
const valueColumn = len("Auth-Protocol: ")

// line is one line of the log.
type line struct {
	second []byte // "20260131 15:04:05"
	micros int64
	field  field
	value  []byte
}

// lineKind reports whether a line could be read.
type lineKind int

const (
	goodLine    lineKind = iota
	tornLine             // begins with a time, but is not whole
	foreignLine          // is not of this layout
)

const secondLen = len("20260131 15:04:05")

// parseLine reads a line without its end. The result refers to b.
func parseLine(b []byte) (l line, kind lineKind) {
	rest, ok := l.cutTime(b)
	if !ok {
		return l, foreignLine
	}
	colon := bytes.IndexByte(rest, ':')
	if colon < 0 || colon >= valueColumn || bytes.IndexByte(b, 0) >= 0 {
		return l, tornLine
	}
	if l.field, ok = fieldOf(rest[:colon]); !ok {
		return l, tornLine
	}
	l.value = cutPadding(rest, colon+1)
	if holdsTime(l.value) { // the disk was full, and another line went on after this one
		return l, tornLine
	}
	return l, goodLine
}

// cutTime reads "20260131 15:04:05'000042: ". Scripts pad the microseconds with zeros or spaces.
func (l *line) cutTime(b []byte) (rest []byte, ok bool) {
	if !beginsWithSecond(b) {
		return nil, false
	}
	l.second = b[:secondLen]
	i := secondLen + 1
	for ; i < len(b) && i <= secondLen+6 && (isDigit(b[i]) || b[i] == ' '); i++ {
		if isDigit(b[i]) {
			l.micros = l.micros*10 + int64(b[i]-'0')
		}
	}
	if i == secondLen+1 || !bytes.HasPrefix(b[i:], []byte(": ")) {
		return nil, false
	}
	return b[i+2:], true
}

// beginsWithSecond reports whether b begins with a time up to the apostrophe.
func beginsWithSecond(b []byte) bool {
	const layout = "dddddddd dd:dd:dd'"
	if len(b) < len(layout) {
		return false
	}
	for i := range len(layout) {
		if c := layout[i]; c != b[i] && (c != 'd' || !isDigit(b[i])) {
			return false
		}
	}
	return true
}

// holdsTime reports whether a time of the log stands within a value.
func holdsTime(value []byte) bool {
	i := bytes.IndexByte(value, '\'')
	return i >= secondLen && beginsWithSecond(value[i-secondLen:])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func fieldOf(name []byte) (field, bool) {
	switch string(name) {
	case "Auth-Method":
		return methodField, true
	case "Auth-User":
		return userField, true
	case "Auth-Salt":
		return saltField, true
	case "Auth-Protocol":
		return protocolField, true
	case "Client-IP":
		return clientField, true
	case "Auth-SSL":
		return sslField, true
	case "backend_ip":
		return backendField, true
	case "backend_port":
		return portField, true
	case "Auth reply":
		return replyField, true
	case "Auth-Status":
		return statusField, true
	case "Reason", "Auth-Pass", "X-Auth-Port", "User-Agent":
		return otherField, true
	}
	return 0, false
}

// cutPadding returns the value after the spaces that fill a name up to the value's column.
func cutPadding(b []byte, from int) []byte {
	for from < len(b) && from < valueColumn && b[from] == ' ' {
		from++
	}
	return b[from:]
}

// clock turns the times of lines into microseconds since 1970. Most lines have the second of the one before.
type clock struct {
	zone   *time.Location
	second [secondLen]byte
	micros int64 // of that second
}

// at returns the time of a line, and reports whether there is such a time.
func (c *clock) at(l *line) (int64, bool) {
	if !bytes.Equal(c.second[:], l.second) {
		t, err := time.ParseInLocation("20060102 15:04:05", string(l.second), c.zone)
		if err != nil {
			return 0, false
		}
		copy(c.second[:], l.second)
		c.micros = t.UnixMicro()
	}
	return c.micros + l.micros, true
}
