package listen

import (
	"encoding/binary"
	"errors"
)

// Types of records (FastCGI specification 1.0, section 8).
const (
	typeBeginRequest    = 1
	typeAbortRequest    = 2
	typeEndRequest      = 3
	typeParams          = 4
	typeStdin           = 5
	typeStderr          = 7
	typeGetValues       = 9
	typeGetValuesResult = 10
	typeUnknownType     = 11
)

// Values of protocolStatus in END_REQUEST (section 5.5).
const (
	requestComplete = 0
	cantMultiplex   = 1
	overloaded      = 2
	unknownRole     = 3
)

// The body of BEGIN_REQUEST (section 5.1).
const (
	beginLength   = 8
	roleResponder = 1
	flagKeepConn  = 1
)

const (
	protocolVersion = 1
	headerLength    = 8
)

// header is the header of a record: version, type, id (2 bytes), content length (2 bytes), padding
// length, reserved (section 3.3).
type header struct {
	kind            byte
	id              uint16
	length, padding int
}

var errVersion = errors.New("not FastCGI version 1")

func parseHeader(b []byte) (header, error) {
	if b[0] != protocolVersion {
		return header{}, errVersion
	}
	return header{
		kind:    b[1],
		id:      binary.BigEndian.Uint16(b[2:]),
		length:  int(binary.BigEndian.Uint16(b[4:])),
		padding: int(b[6]),
	}, nil
}

// appendRecord appends a record without padding. The content must fit into one record.
func appendRecord(b []byte, kind byte, id uint16, content ...byte) []byte {
	b = append(b, protocolVersion, kind)
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, uint16(len(content)))
	return append(append(b, 0, 0), content...)
}

// endRequest returns the record that ends a request which no handler has seen.
func endRequest(id uint16, protocolStatus byte) []byte {
	return appendRecord(nil, typeEndRequest, id, 0, 0, 0, 0, protocolStatus, 0, 0, 0)
}
