package authlog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// probeSize is how many bytes a log must have room for to be writable. Most entries are smaller.
const probeSize = 4096

// Check logs a warning, as Write does, if the log cannot be written. Call it at the start, because the first login may be
// hours away.
func (l *Log) Check(now time.Time) {
	if err := l.Writable(); err != nil {
		l.cannotWrite(now, err)
	}
}

// Writable returns an error if the log cannot be written or rotated, as on a full disk. It does not touch the file, because
// programs that follow it would take that for an entry: it writes another one beside it, and removes that.
func (l *Log) Writable() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.file.mu.RLock()
	defer l.file.mu.RUnlock()
	return writable(l.file.config.File, l.file.config.MaxSize)
}

func writable(path string, maxSize int) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return CheckFile(path, maxSize)
	}
	err := probe(filepath.Dir(path))
	closed := errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
	if closed && maxSize == 0 && canAppend(path) { // nothing else is written to the directory
		return nil
	}
	return err
}

func canAppend(path string) bool {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	return err == nil && f.Close() == nil
}

// probe makes a directory if it is missing, as the first entry would, and reports whether a file in it can be written.
func probe(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".mailauthd-*")
	if err != nil {
		return fmt.Errorf("directory %s: %w", dir, err)
	}
	_, err = f.Write(make([]byte, probeSize))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
