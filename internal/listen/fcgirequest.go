package listen

import "encoding/binary"

// request is the request of a connection, in the records that net/http/fcgi gets. They are
// made here: whatever the peer's were like, these are always the same.
type request struct {
	id      uint16
	keep    bool   // the connection
	body    int    // bytes of it that came
	records []byte // BEGIN_REQUEST and one PARAMS; the rest once it is sealed
}

const (
	paramsHeader = headerLength + beginLength // where it begins
	paramsStart  = paramsHeader + headerLength
)

func (r *request) begin(id uint16, keep bool) {
	r.id, r.keep, r.body = id, keep, 0
	r.records = appendRecord(r.records[:0], typeBeginRequest, id, 0, roleResponder, flagKeepConn, 0, 0, 0, 0, 0)
	r.records = appendRecord(r.records, typeParams, id)
}

func (r *request) params() []byte { return r.records[paramsStart:] }

// seal completes the records. There is no body in them.
func (r *request) seal() {
	binary.BigEndian.PutUint16(r.records[paramsHeader+4:], uint16(len(r.params())))
	r.records = appendRecord(r.records, typeParams, r.id)
	r.records = appendRecord(r.records, typeStdin, r.id)
}
