package ldapdb

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// MaxAnswer is the largest size of what a server sends in answer to one request, in bytes, TLS included. An entry has
// some hundred bytes. The schema, for which a probe asks, may have a megabyte.
const MaxAnswer = 4 << 20

var errTooLong = errors.New("the server's answer is too long")

// wire is the connection below the library. The library bounds neither the size of an answer nor the time until it
// comes, and its errors do not tell what happened.
type wire struct {
	net.Conn
	left  atomic.Int64 // bytes of the answer that may still come
	cause atomic.Pointer[error]
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.left.Add(int64(-n)) < 0 {
		n, err = 0, errTooLong
	}
	w.note(err)
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.note(err)
	return n, err
}

func (w *wire) note(err error) {
	if err != nil {
		w.cause.CompareAndSwap(nil, &err)
	}
}

// interrupt ends all reading and writing.
func (w *wire) interrupt() { w.SetDeadline(time.Unix(1, 0)) }
