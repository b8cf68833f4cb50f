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

// phase is the state of a connection's request.
type phase int

const (
	idle      phase = iota // there is no request
	params                 // BEGIN_REQUEST was read
	stdin                  // all of PARAMS was read
	answering              // the request is complete, and the answer was not sent yet
)

// fcgiConn is the connection of a web server. At first a goroutine of this package reads from it.
// When a request is complete, Accept passes the connection to net/http/fcgi. Then a goroutine of
// net/http/fcgi reads, and another one writes the answer. When no more requests arrive, the
// connection is taken back, because net/http/fcgi needs 64 KiB for each connection.
type fcgiConn struct {
	net.Conn // the socket
	l        *FastCGI
	from     netip.Prefix

	// Used by the goroutine that reads.
	in       *bufio.Reader
	within   bool // in the middle of a record
	small    [maxSmall]byte
	request  request
	complete bool
	records  []byte    // what net/http/fcgi reads next
	until    time.Time // the read deadline that was set last; never later than limit returns
	err      error     // why reading has ended

	sending sync.Mutex // of what follows: held while writing to the socket
	sendBy  time.Time  // the socket's write deadline

	reply []byte // used by the goroutine that answers

	mu sync.Mutex // of what follows
	activity
	phase    phase
	partial  bool      // a record has begun to arrive
	begun    time.Time // when the request or record began to arrive
	draining bool      // close the connection after its answer
	hasSlot  bool      // at net/http/fcgi
	ended    bool      // reading has ended
	large    bool      // the request has a slot for large requests
}

func newFCGIConn(nc net.Conn, l *FastCGI) *fcgiConn {
	c := &fcgiConn{Conn: nc, l: l, from: networkOf(nc), activity: activity{since: time.Now()}}
	c.in = bufio.NewReaderSize(socketReader{c}, readBuffer)
	return c
}

// wait reads until a request is complete, and passes the connection to net/http/fcgi.
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

// Read is called by net/http/fcgi. It returns complete requests.
func (c *fcgiConn) Read(p []byte) (int, error) {
	for len(c.records) == 0 {
		if c.complete {
			c.complete = false
			c.records = c.request.records
			break
		}
		c.err = c.readRecord()
		if c.err == nil && c.complete && c.l.scarce() {
			c.err = errSpare // other connections come first
		}
		if c.err != nil {
			return 0, io.EOF
		}
	}
	n := copy(p, c.records)
	c.records = c.records[n:]
	return n, nil
}

// Write collects an answer. net/http/fcgi calls it once for each record.
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

// Close is called by net/http/fcgi when Read has returned an error.
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
		c.Conn.SetReadDeadline(time.Unix(1, 0)) // wakes the goroutine that reads, which gives up the slot
	}
	if ended {
		c.l.ended(c, io.EOF)
	}
}

// write writes to the socket. It is called with sending held. To save system calls, it does not set
// the deadline for each answer, but about once a second.
func (c *fcgiConn) write(records []byte) error {
	if now := time.Now(); c.sendBy.Sub(now) < SendTimeout {
		c.sendBy = now.Add(SendTimeout + time.Second)
		c.Conn.SetWriteDeadline(c.sendBy)
	}
	_, err := c.Conn.Write(records)
	return err
}

// send writes records that net/http/fcgi has not written.
func (c *fcgiConn) send(records []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.write(records)
}

// end is called at the end of reading. If the peer has closed only its half of the connection and
// waits for an answer, finish closes the rest.
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

// release ends the request. It frees the buffer and the slot of a large one. It is called with mu
// held.
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

// releaseSlot releases the slot at net/http/fcgi. It is called with mu held.
func (c *fcgiConn) releaseSlot() {
	if c.hasSlot {
		c.hasSlot = false
		<-c.l.slots
	}
}

// drain makes the next answer the last one.
func (c *fcgiConn) drain(shutdown time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.phase == idle && !c.partial && c.expired(c.begun.IsZero(), shutdown) {
		c.Conn.Close()
	}
}

func (c *fcgiConn) abort() { c.Conn.Close() }

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
