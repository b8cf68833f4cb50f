package authlog

import (
	"io"
	"sync"
)

// wholeEntries begins a new line after an entry that could be written only in part, as
// on a full disk, so that the next one is not joined to what is left of it.
type wholeEntries struct {
	w      io.Writer
	mu     sync.Mutex
	broken bool
}

func (e *wholeEntries) Write(entry []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken {
		entry = append([]byte("\n"), entry...)
	}
	n, err := e.w.Write(entry)
	if n > 0 {
		e.broken = n < len(entry)
	}
	return n, err
}
