package authlog

import (
	"bytes"
	"time"
)

// Field is what a line in auth.php's layout holds.
type Field int

// The fields, in the order in which the lines of a request are written.
const (
	FieldMethod Field = iota
	FieldUser
	FieldSalt
	FieldProtocol
	FieldClient
	FieldSSL
	FieldBackend
	FieldPort
	FieldReply
	FieldStatus
	FieldReason // written before the status, but not by auth.php
	FieldOther  // what variants of the script add
)

// valueColumn is where the value begins after the time.
const valueColumn = len("Auth-Protocol: ")

// Line is one line in auth.php's layout.
type Line struct {
	second []byte // "20260131 15:04:05"
	micros int64
	Field  Field
	Value  []byte // escaped as in the file
}

// LineKind says whether a line could be read.
type LineKind int

// The kinds of lines.
const (
	GoodLine    LineKind = iota
	TornLine             // begins with a time, but is not whole
	ForeignLine          // is not of this layout
)

const secondLen = len("20260131 15:04:05")

// ParseLine reads a line without its end. The result refers to b.
func ParseLine(b []byte) (l Line, kind LineKind) {
	rest, ok := l.cutTime(b)
	if !ok {
		return l, ForeignLine
	}
	colon := bytes.IndexByte(rest, ':')
	if colon < 0 || colon >= valueColumn || bytes.IndexByte(b, 0) >= 0 {
		return l, TornLine
	}
	if l.Field, ok = fieldOf(rest[:colon]); !ok {
		return l, TornLine
	}
	l.Value = cutPadding(rest, colon+1)
	return l, GoodLine
}

// cutTime reads "20260131 15:04:05'000042: ". Scripts pad the microseconds with zeros or spaces.
func (l *Line) cutTime(b []byte) (rest []byte, ok bool) {
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

// HoldsTime reports whether a time stands within the value. In a log of auth.php the disk was full then, and another line
// went on after this one.
func (l *Line) HoldsTime() bool {
	i := bytes.IndexByte(l.Value, '\'')
	return i >= secondLen && beginsWithSecond(l.Value[i-secondLen:])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func fieldOf(name []byte) (Field, bool) {
	switch string(name) {
	case "Auth-Method":
		return FieldMethod, true
	case "Auth-User":
		return FieldUser, true
	case "Auth-Salt":
		return FieldSalt, true
	case "Auth-Protocol":
		return FieldProtocol, true
	case "Client-IP":
		return FieldClient, true
	case "Auth-SSL":
		return FieldSSL, true
	case "backend_ip":
		return FieldBackend, true
	case "backend_port":
		return FieldPort, true
	case "Auth reply":
		return FieldReply, true
	case "Auth-Status":
		return FieldStatus, true
	case "Reason":
		return FieldReason, true
	case "Auth-Pass", "X-Auth-Port", "User-Agent":
		return FieldOther, true
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

// Clock turns the times of lines into microseconds since 1970. Most lines have the second of the one before.
type Clock struct {
	Zone   *time.Location
	second [secondLen]byte
	micros int64 // of that second
}

// At returns the time of a line, and reports whether there is such a time.
func (c *Clock) At(l *Line) (int64, bool) {
	if !bytes.Equal(c.second[:], l.second) {
		t, err := time.ParseInLocation(legacyTime, string(l.second), c.Zone)
		if err != nil {
			return 0, false
		}
		copy(c.second[:], l.second)
		c.micros = t.UnixMicro()
	}
	return c.micros + l.micros, true
}
