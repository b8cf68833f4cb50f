package main

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestStderrQueueKeepsOrder(t *testing.T) {
	var out bytes.Buffer
	q := newStderrQueue(&out)
	line := []byte("one\n")
	q.Write(line)
	copy(line, "two\n") // the caller may reuse its buffer
	q.Write(line)
	q.flush()
	if got := out.String(); got != "one\ntwo\n" {
		t.Errorf("wrote %q", got)
	}
	q.Write([]byte("after the end\n"))
}

// A standard error that nobody reads loses lines, but blocks neither logins nor the shutdown.
func TestStderrQueueDoesNotBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe() // blocks until read
		q := newStderrQueue(w)
		for range 2 * maxStderrLines {
			if n, err := q.Write([]byte("line\n")); n != 5 || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
		}
		begin := time.Now()
		q.flush()
		if d := time.Since(begin); d != stderrWait {
			t.Errorf("flush took %v, want %v", d, stderrWait)
		}
		r.Close()
		q.lines <- nil
	})
}
