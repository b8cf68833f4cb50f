package listen

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// phase is how far the request of a connection is.
type phase int

const (
	idle      phase = iota // there is none
	params                 // BEGIN_REQUEST has come
	stdin                  // all of PARAMS
	answering              // all of it, and the answer has not been sent
)

// fcgiConn is the connection of a web server. At first a goroutine of its own reads from
// it. When a request is complete, net/http/fcgi is given the connection; its goroutine
// then reads, and another one of its writes the answer. When no more requests come, the
// connection is taken back: net/http/fcgi needs 64 KiB for each that it has.
type fcgiConn struct {
	net.Conn // the socket
	l        *FastCGI
	from     netip.Prefix

	// Used by the goroutine that reads.
	in       *bufio.Reader
	within   bool // a record
	small    [maxSmall]byte
	request  request
	complete bool
	records  []byte    // what net/http/fcgi is to read
	until    time.Time // the socket's deadline for reading: never too late
	err      error     // why there is nothing more to read

	sending sync.Mutex // of what follows: held while writing to the socket
	sendBy  time.Time  // the socket's deadline for writing

	reply []byte // used by the goroutine that answers

	mu sync.Mutex // of what follows
	activity
	phase    phase
	partial  bool      // a record has begun to arrive
	begun    time.Time // to arrive, with params, stdin or partial
	draining bool      // to be closed when idle
	hasSlot  bool      // at net/http/fcgi
	ended    bool      // reading has ended
	large    bool      // request has a slot for large ones
}

func newFCGIConn(nc net.Conn, l *FastCGI) *fcgiConn {
	c := &fcgiConn{Conn: nc, l: l, from: networkOf(nc), activity: activity{since: time.Now()}}
	c.in = bufio.NewReaderSize(socketReader{c}, readBuffer)
	return c
}

// wait reads up to a complete request, which is for net/http/fcgi.
func (c *fcgiConn) wait() {
	for {
		var err error
		if !c.complete {
			err = c.readRecord()
		}
		if err == nil && c.complete {
			if c.l.acquireSlot(c) {
				c.l.hand(c)
				return
			}
			c.complete = false
			err = c.refuse(overloaded)
		}
		if err != nil {
			c.end(err)
			return
		}
	}
}

// Read gives net/http/fcgi complete requests.
func (c *fcgiConn) Read(p []byte) (int, error) {
	for len(c.records) == 0 {
		if c.complete {
			c.complete = false
			c.records = c.request.records
			break
		}
		c.err = c.readRecord()
		if c.err == nil && c.complete && c.l.scarce() {
			c.err = errSpare // others come first
		}
		if c.err != nil {
			return 0, io.EOF
		}
	}
	n := copy(p, c.records)
	c.records = c.records[n:]
	return n, nil
}

// Write collects an answer. net/http/fcgi writes each record by one Write.
func (c *fcgiConn) Write(p []byte) (int, error) {
	c.reply = append(c.reply, p...)
	switch p[1] {
	case typeStderr:
		c.l.notHTTP(c)
	case typeEndRequest:
		c.finish()
	}
	return len(p), nil
}

// Close is called by net/http/fcgi when it has read all.
func (c *fcgiConn) Close() error {
	if c.err != errSpare {
		return c.end(c.err)
	}
	c.mu.Lock()
	c.releaseSlot()
	c.mu.Unlock()
	go c.wait()
	return nil
}

// finish sends the answer.
func (c *fcgiConn) finish() {
	c.sending.Lock()
	defer c.sending.Unlock()
	err := c.write(c.reply)
	c.mu.Lock()
	c.activity = activity{answered: true, since: time.Now()}
	c.release()
	ended := c.ended
	if ended {
		c.releaseSlot()
	}
	wanted := c.hasSlot && c.l.scarce()
	done := ended || err != nil || !c.request.keep || c.draining && !c.partial
	c.mu.Unlock()
	switch {
	case done:
		c.Conn.Close()
	case wanted:
		c.Conn.SetReadDeadline(time.Unix(1, 0)) // wakes the goroutine that reads, which looks again
	}
	if ended {
		c.l.ended(c, io.EOF)
	}
}

// write is called with sending held. The deadline is set once a second, not for each answer.
func (c *fcgiConn) write(records []byte) error {
	if now := time.Now(); c.sendBy.Sub(now) < SendTimeout {
		c.sendBy = now.Add(SendTimeout + time.Second)
		c.Conn.SetWriteDeadline(c.sendBy)
	}
	_, err := c.Conn.Write(records)
	return err
}

// send writes records that are no answer of net/http/fcgi.
func (c *fcgiConn) send(records []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.write(records)
}

// end is the end of reading. The peer may have closed its half only, and wait for the answer;
// then finish ends the rest.
func (c *fcgiConn) end(err error) error {
	c.mu.Lock()
	c.ended = true
	answering := c.phase == answering
	if !answering {
		c.release()
		c.releaseSlot()
	}
	c.mu.Unlock()
	if answering && errors.Is(err, io.EOF) {
		return nil
	}
	c.Conn.Close()
	c.l.ended(c, err)
	return nil
}

// release ends the request; mu is held. What a large one took is not kept.
func (c *fcgiConn) release() {
	c.phase = idle
	if cap(c.request.records) > readBuffer {
		c.request.records = nil
	}
	if c.large {
		c.large = false
		<-c.l.large
	}
}

// releaseSlot gives the slot at net/http/fcgi back; mu is held.
func (c *fcgiConn) releaseSlot() {
	if c.hasSlot {
		c.hasSlot = false
		<-c.l.slots
	}
}

// drain ends the connection as soon as it is idle.
func (c *fcgiConn) drain() {
	c.mu.Lock()
	c.draining = true
	done := c.phase == idle && !c.partial
	c.mu.Unlock()
	if done {
		c.Conn.Close()
	}
}

func (c *fcgiConn) network() netip.Prefix { return c.from }

func (c *fcgiConn) waiting() (activity, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.activity, c.phase != answering
}

func (c *fcgiConn) evict() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == answering {
		return false
	}
	c.Conn.Close()
	return true
}
