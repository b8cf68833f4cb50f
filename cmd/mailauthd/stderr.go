package main

import (
	"io"
	"time"
)

// Limits of the queue for a slow standard error.
const (
	maxStderrLines = 256
	stderrWait     = time.Second // how long flush waits for lines that are not written yet
)

// stderrQueue keeps logins from blocking on a standard error that nobody reads. Lines wait in a
// queue, and are dropped while it is full.
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

// Write takes one line. It never fails, because there is nowhere to report an error.
func (q *stderrQueue) Write(line []byte) (int, error) {
	select {
	case q.lines <- append([]byte(nil), line...):
	default:
	}
	return len(line), nil
}

// flush waits up to stderrWait for the queued lines. Later lines are lost.
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
