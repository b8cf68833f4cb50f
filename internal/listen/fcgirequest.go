package listen

import "encoding/binary"

// request is the request of a connection, as the records that net/http/fcgi reads. They are made
// here, so they have the same form however the peer has sent the request.
type request struct {
	id      uint16
	keep    bool   // keep the connection open
	body    int    // bytes of the body so far
	records []byte // BEGIN_REQUEST and one PARAMS; seal adds the rest
}

const (
	paramsHeader = headerLength + beginLength // offset of the header of PARAMS
	paramsStart  = paramsHeader + headerLength
)

func (r *request) begin(id uint16, keep bool) {
	r.id, r.keep, r.body = id, keep, 0
	r.records = appendRecord(r.records[:0], typeBeginRequest, id, 0, roleResponder, flagKeepConn, 0, 0, 0, 0, 0)
	r.records = appendRecord(r.records, typeParams, id)
}

func (r *request) params() []byte { return r.records[paramsStart:] }

// seal completes the records, without a body.
func (r *request) seal() {
	binary.BigEndian.PutUint16(r.records[paramsHeader+4:], uint16(len(r.params())))
	r.records = appendRecord(r.records, typeParams, r.id)
	r.records = appendRecord(r.records, typeStdin, r.id)
}
