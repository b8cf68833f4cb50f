package listen

import (
	"encoding/binary"
	"net"
	"sync"
)

// Types of the FastCGI records that begin and end a request (FastCGI specification
// 1.0, section 8).
const (
	typeBeginRequest = 1
	typeEndRequest   = 3
)

// fcgiConn is a connection that knows which requests on it are not answered yet.
type fcgiConn struct {
	net.Conn
	l *FastCGI

	mu       sync.Mutex
	in       frames          // what the peer sends
	open     map[uint16]bool // requests by id
	ending   int             // END_REQUEST records on their way out
	draining bool            // to be closed when idle
}

func (c *fcgiConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.read(p[:n], func(recordType byte, id uint16) {
		if recordType == typeBeginRequest {
			c.open[id] = true
		}
	})
	return n, err
}

// Write sees whole records: net/http/fcgi writes each by one Write.
func (c *fcgiConn) Write(p []byte) (int, error) {
	if len(p) < frameHeader || p[1] != typeEndRequest {
		return c.Conn.Write(p)
	}
	// The peer may use the id again as soon as it has the record, which is before
	// Write returns.
	c.mu.Lock()
	delete(c.open, binary.BigEndian.Uint16(p[2:]))
	c.ending++
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	c.ending--
	done := c.draining && c.idle()
	c.mu.Unlock()
	if done {
		c.Close()
	}
	return n, err
}

func (c *fcgiConn) drain() {
	c.mu.Lock()
	c.draining = true
	idle := c.idle()
	c.mu.Unlock()
	if idle {
		c.Close()
	}
}

// idle is called with mu held.
func (c *fcgiConn) idle() bool { return len(c.open) == 0 && c.ending == 0 && !c.in.partial() }

func (c *fcgiConn) Close() error {
	err := c.Conn.Close()
	c.l.forget(c)
	return err
}

// frameHeader is the size of a record's header: version, type, id (2), content
// length (2), padding length, reserved.
const frameHeader = 8

// frames finds the records in a stream that comes in pieces.
type frames struct {
	header [frameHeader]byte
	have   int // bytes of the header
	skip   int // bytes of content and padding still to come
}

// partial tells whether the stream stands in the middle of a record.
func (f *frames) partial() bool { return f.have > 0 || f.skip > 0 }

// read calls found for each header that is complete with these bytes.
func (f *frames) read(p []byte, found func(recordType byte, id uint16)) {
	for len(p) > 0 {
		if n := min(f.skip, len(p)); n > 0 {
			f.skip -= n
			p = p[n:]
			continue
		}
		n := copy(f.header[f.have:], p)
		f.have += n
		p = p[n:]
		if f.have == frameHeader {
			f.have = 0
			f.skip = int(binary.BigEndian.Uint16(f.header[4:])) + int(f.header[6])
			found(f.header[1], binary.BigEndian.Uint16(f.header[2:]))
		}
	}
}
