package main

import (
	"io"
	"time"
)

// Limits of what waits for a slow standard error.
const (
	maxStderrLines = 256
	stderrWait     = time.Second // at the end, for what is not written yet
)

// stderrQueue keeps a standard error that nobody reads from stopping logins: lines wait
// in a queue, and when that is full they are dropped.
type stderrQueue struct {
	lines chan []byte
	done  chan struct{}
}

func newStderrQueue(w io.Writer) *stderrQueue {
	q := &stderrQueue{lines: make(chan []byte, maxStderrLines), done: make(chan struct{})}
	go func() {
		defer close(q.done)
		for line := <-q.lines; line != nil; line = <-q.lines {
			w.Write(line)
		}
	}()
	return q
}

// Write takes one line. It does not fail: there is nowhere to say so.
func (q *stderrQueue) Write(line []byte) (int, error) {
	select {
	case q.lines <- append([]byte(nil), line...):
	default:
	}
	return len(line), nil
}

// flush waits a little for what is in the queue. What comes later is lost.
func (q *stderrQueue) flush() {
	timeout := time.After(stderrWait)
	select {
	case q.lines <- nil:
	case <-timeout:
		return
	}
	select {
	case <-q.done:
	case <-timeout:
	}
}
