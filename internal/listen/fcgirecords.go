package listen

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// Errors that close a connection without an answer.
var (
	errFraming = errors.New("broken FastCGI framing")
	errParams  = errors.New("variables too long")
	errBody    = errors.New("request body too long")
	errLarge   = errors.New("too many large requests at a time")
	errLate    = errors.New("request not complete in time")
)

// readRecord reads one record and acts on it.
func (c *fcgiConn) readRecord() error {
	c.within = false
	b, err := c.in.Peek(headerLength)
	if err != nil {
		return err
	}
	h, err := parseHeader(b)
	if err != nil {
		return err
	}
	c.within = true
	c.in.Discard(headerLength)
	content, err := c.readContent(h)
	if err != nil {
		return err
	}
	if _, err := c.in.Discard(h.padding); err != nil {
		return err
	}
	if h.id == 0 {
		return c.manage(h.kind, content)
	}
	return c.apply(h, content)
}

// readContent returns the content of BEGIN_REQUEST and GET_VALUES, and appends that of PARAMS to the
// request. The content of other records is discarded.
func (c *fcgiConn) readContent(h header) ([]byte, error) {
	switch {
	case h.kind == typeBeginRequest || h.kind == typeGetValues:
		if h.length > maxSmall {
			return nil, errFraming
		}
		_, err := io.ReadFull(c.in, c.small[:h.length])
		return c.small[:h.length], err
	case h.kind == typeParams && c.phaseOf(h.id) == params:
		return nil, c.readParams(h.length)
	}
	_, err := c.in.Discard(h.length)
	return nil, err
}

func (c *fcgiConn) readParams(n int) error {
	have := len(c.request.params())
	if n > MaxParams-have {
		return errParams
	}
	if have+n > SmallParams && !c.enlarge() {
		return errLarge
	}
	records := slices.Grow(c.request.records, n)
	at := len(records)
	c.request.records = records[:at+n]
	_, err := io.ReadFull(c.in, c.request.records[at:])
	return err
}

// enlarge acquires a slot for large requests. If none is free, it takes that of the connection
// which has waited the longest since its last answer.
func (c *fcgiConn) enlarge() bool {
	if c.isLarge() {
		return true
	}
	select {
	case c.l.large <- struct{}{}:
	default:
		if !c.l.evictLarge() {
			return false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.large = true
	return true
}

func (c *fcgiConn) isLarge() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.large
}

// phaseOf returns the phase of the request with an id. It is idle if that request has ended or was
// refused.
func (c *fcgiConn) phaseOf(id uint16) phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.request.id != id {
		return idle
	}
	return c.phase
}

func (c *fcgiConn) enter(p phase) {
	c.mu.Lock()
	c.phase = p
	c.mu.Unlock()
}

// manage answers a management record (section 4).
func (c *fcgiConn) manage(kind byte, content []byte) error {
	if kind != typeGetValues {
		return c.send(appendRecord(nil, typeUnknownType, 0, kind, 0, 0, 0, 0, 0, 0, 0))
	}
	reply, err := valuesResult(content)
	if err != nil {
		return err
	}
	return c.send(reply)
}

// apply acts on an application record (section 5).
func (c *fcgiConn) apply(h header, content []byte) error {
	if h.kind == typeBeginRequest {
		return c.begin(h.id, content)
	}
	p := c.phaseOf(h.id)
	switch {
	case p == idle:
		return nil // "the application should ignore" it (section 3.3)
	case p == params && h.kind == typeParams:
		return c.takeParams(h.length)
	case p == stdin && h.kind == typeStdin:
		return c.takeBody(h.length)
	case p == answering && h.kind == typeAbortRequest:
		return nil // the answer is sent as usual
	case h.kind == typeAbortRequest:
		return c.refuse(requestComplete)
	}
	return errFraming
}

// begin starts a request, unless there is another one.
func (c *fcgiConn) begin(id uint16, content []byte) error {
	if len(content) != beginLength {
		return errFraming
	}
	c.sending.Lock() // the peer may have received the last answer before finish returns
	busy := c.phaseOf(c.request.id) != idle
	c.sending.Unlock()
	switch {
	case busy && c.request.id == id:
		return errFraming
	case busy:
		return c.send(endRequest(id, cantMultiplex))
	}
	c.request.begin(id, content[2]&flagKeepConn != 0)
	if binary.BigEndian.Uint16(content) != roleResponder {
		return c.refuse(unknownRole)
	}
	c.enter(params)
	return nil
}

// refuse ends a request that is not passed on to net/http/fcgi.
func (c *fcgiConn) refuse(status byte) error {
	c.mu.Lock()
	c.release()
	c.mu.Unlock()
	err := c.send(endRequest(c.request.id, status))
	if err == nil && !c.request.keep {
		return io.EOF
	}
	return err
}

// takeParams is called for each PARAMS; the last one is empty.
func (c *fcgiConn) takeParams(length int) error {
	if length > 0 {
		return nil
	}
	if err := checkParams(c.request.params()); err != nil {
		return err
	}
	c.enter(stdin)
	return nil
}

// takeBody is called for each STDIN; the last one is empty. The body is discarded, because
// auth_http sends none and no handler reads one.
func (c *fcgiConn) takeBody(length int) error {
	if c.request.body += length; c.request.body > MaxBody {
		return errBody
	}
	if length > 0 {
		return nil
	}
	c.request.seal()
	c.reply = c.reply[:0]
	c.enter(answering)
	c.complete = true
	return nil
}
