package authlog

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
)

// lineWriter writes entries. An entry that was written only in part, as on a full disk, is removed again. If it cannot be,
// the next one begins on a new line.
type lineWriter struct {
	w      io.WriteCloser
	path   string // of the file that w writes
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
	switch {
	case n == len(entry):
		e.broken = false
	case n > 0:
		e.broken = !e.remove(entry[:n]) || e.broken
	}
	return n, err
}

// remove removes what was written of an entry, and reports whether it could. The file is closed before, because lumberjack
// would write the next entry at its old end.
func (e *lineWriter) remove(part []byte) bool {
	return e.w.Close() == nil && cutEnd(e.path, part) == nil
}

// cutEnd removes the end of a file if that is what part says. Another program may have moved the file meanwhile.
func cutEnd(path string, part []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	end, size := make([]byte, len(part)), info.Size()-int64(len(part))
	if _, err := f.ReadAt(end, max(size, 0)); err != nil {
		return err
	}
	if !info.Mode().IsRegular() || !bytes.Equal(end, part) {
		return errors.New("the file does not end with the entry")
	}
	return f.Truncate(size)
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
