package authlog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
)

// wholeEntries begins a new line after an entry that could be written only in part, as
// on a full disk, so that the next one is not joined to what is left of it.
type wholeEntries struct {
	w      io.Writer
	mu     sync.Mutex
	broken bool // the file ends within a line
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

// endsBroken tells whether a log file ends within a line, as one does that was left on a full
// disk. If nobody can say, it may.
func endsBroken(path string) bool {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (info.Size() == 0 || !info.Mode().IsRegular()) {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err != nil || last[0] != '\n'
}
