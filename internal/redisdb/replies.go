package redisdb

import (
	"bytes"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// Limits of a reply. The longest are those of a cluster about its nodes and commands, and of SCAN: less than 1 MiB.
const (
	maxReply     = 16 << 20 // bytes of memory
	maxLine      = 64 << 10 // bytes of a line
	maxDepth     = 16       // arrays within arrays
	elementBytes = 16       // of memory for each element of an array
)

var (
	errReply     = errors.New("redis sends something else than replies (RESP)")
	errLongReply = errors.New("redis sends a reply that is too long")
)

// replies checks what Redis sends, because the library allocates as much memory as a reply announces before it arrives.
// A value of a few bytes could end the process.
type replies struct {
	used int    // bytes of memory of the present reply
	open []int  // how many elements are missing in each array that has begun, the outermost first
	skip int    // how many bytes are missing of a string and of its end
	line []byte // the beginning of a line that has not arrived completely
}

// check checks the next bytes.
func (r *replies) check(p []byte) error {
	for len(p) > 0 {
		if r.skip > 0 {
			n := min(r.skip, len(p))
			p = p[n:]
			if r.skip -= n; r.skip == 0 {
				r.end()
			}
			continue
		}
		n := bytes.IndexByte(p, '\n') + 1
		if n == 0 {
			n = len(p)
		}
		if r.line = append(r.line, p[:n]...); len(r.line) > maxLine {
			return errLongReply
		}
		p = p[n:]
		if line, ok := strings.CutSuffix(string(r.line), "\n"); ok {
			r.line = r.line[:0]
			if err := r.begin(strings.TrimSuffix(line, "\r")); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin takes the line with which a value begins: a type, and a length or the value itself. The types are those of RESP2 and,
// because the library asks Sentinels for them, of RESP3.
func (r *replies) begin(line string) error {
	if line == "" {
		return errReply
	}
	kind := line[0]
	if strings.IndexByte("+-:(,#_", kind) >= 0 {
		r.end()
		return nil
	}
	n, err := strconv.Atoi(line[1:])
	if err != nil || strings.IndexByte("$=!*~>%", kind) < 0 {
		return errReply
	}
	if n > maxReply || len(r.open) == maxDepth {
		return errLongReply
	}
	isString := strings.IndexByte("$=!", kind) >= 0
	if kind == '%' { // a map has two values for each element
		n *= 2
	}
	switch {
	case isString && n >= 0:
		r.used += n
		r.skip = n + len("\r\n")
	case !isString && n > 0:
		r.used += n * elementBytes
		r.open = append(r.open, n)
	default: // no value, or an array without elements
		r.end()
	}
	if r.used > maxReply {
		return errLongReply
	}
	return nil
}

// end ends a value, and the arrays whose last element it is.
func (r *replies) end() {
	for last := len(r.open) - 1; last >= 0; last-- {
		if r.open[last]--; r.open[last] > 0 {
			return
		}
		r.open = r.open[:last]
	}
	r.used = 0
}

// checkedConn is a connection whose replies are checked.
type checkedConn struct {
	net.Conn
	replies replies
}

func (c *checkedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bad := c.replies.check(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

// checkedSocket is a checkedConn on which the library can see whether Redis has closed it.
type checkedSocket struct {
	checkedConn
	syscall.Conn
}

// checked returns a connection whose replies are checked.
func checked(c net.Conn) net.Conn {
	if s, ok := c.(syscall.Conn); ok {
		return &checkedSocket{checkedConn{Conn: c}, s}
	}
	return &checkedConn{Conn: c}
}
