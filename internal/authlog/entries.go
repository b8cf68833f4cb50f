package authlog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
)

// lineWriter writes entries. If an entry was written only in part, as on a full disk, the next
// one begins on a new line.
type lineWriter struct {
	w      io.Writer
	mu     sync.Mutex
	broken bool // whether the file ends within a line
}

func (e *lineWriter) Write(entry []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken {
		entry = append([]byte("\n"), entry...)
	}
	n, err := e.w.Write(entry)
	if n == 0 && err != nil { // another program may have moved the file while lumberjack was renaming it
		n, err = e.w.Write(entry)
	}
	if n > 0 {
		e.broken = n < len(entry)
	}
	return n, err
}

// endsWithinLine reports whether a log file ends within a line, as after a write to a full disk.
// It returns true if the file cannot be read: an empty line does less harm than a joined one.
func endsWithinLine(path string) bool {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (info.Size() == 0 || !info.Mode().IsRegular()) {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) // it may have been moved since
	}
	defer f.Close()
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err != nil || last[0] != '\n'
}
