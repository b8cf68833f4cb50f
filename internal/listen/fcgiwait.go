package listen

import (
	"errors"
	"io"
	"os"
	"time"
)

// errSpare ends the reading of net/http/fcgi, because the connection is idle or another one needs its slot.
var errSpare = errors.New("idle, or its slot is wanted")

// socketReader reads from the socket into the buffer of a connection. It sets the deadlines.
type socketReader struct{ c *fcgiConn }

func (r socketReader) Read(p []byte) (int, error) {
	c := r.c
	for {
		limit, err := c.limit()
		if err == nil && (c.until.IsZero() || c.until.After(limit)) {
			c.until = limit
			if err = c.SetReadDeadline(limit); err == nil {
				_, err = c.limit() // finish may have set an earlier one just before
			}
		}
		if err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			c.until = time.Time{} // limit returns an error if the time is really up
			continue
		}
		if n > 0 {
			c.arrived()
		}
		return n, err
	}
}

func (c *fcgiConn) arrived() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.partial && (c.phase == idle || c.phase == answering) {
		c.begun = time.Now()
	}
	c.partial = true
}

// limit returns the deadline for the next bytes, or an error if reading ends now.
func (c *fcgiConn) limit() (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.partial = c.within || c.in.Buffered() > 0
	var limit time.Time
	late := errLate
	switch {
	case c.phase == answering:
		return time.Now().Add(spareTime), nil // then check again
	case c.phase != idle || c.partial:
		limit = c.begun.Add(RequestTimeout)
		if c.hasSlot && c.l.scarce() {
			limit = c.begun.Add(spareTime) // its slot is wanted
		}
	case c.hasSlot && c.l.scarce():
		return limit, errSpare
	case c.hasSlot:
		limit, late = c.since.Add(spareTime), errSpare
	default:
		limit, late = c.since.Add(IdleTimeout), io.EOF
	}
	now := time.Now()
	if !now.Before(limit) {
		return limit, late
	}
	if again := now.Add(spareTime); c.hasSlot && again.Before(limit) {
		return again, nil // then check whether its slot is wanted
	}
	return limit, nil
}
