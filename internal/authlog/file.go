package authlog

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"sync"

	"gopkg.in/natefinch/lumberjack.v2"
)

// Config is the configuration of a log.
type Config struct {
	File       string
	Format     string // one of [Formats]
	Timezone   string // an IANA name such as "Europe/Moscow"; empty: the system's time zone
	MaxSize    int    // rotate the file at this many MiB; 0: never, because another program does
	MaxAge     int    // delete rotated files after this many days; 0: never
	MaxBackups int    // keep at most this many rotated files; 0: all
	Compress   bool   // compress rotated files with gzip
}

// File is a log file that is rotated by size. It is safe for concurrent use. Make only one for each log of a process,
// because lumberjack's goroutine outlives Close.
type File struct {
	mu      sync.RWMutex // Write holds it for reading
	config  Config
	file    *lumberjack.Logger
	entries *lineWriter // writes to file
}

// Configure applies c to all later entries, and must be called before the first one. Format and Timezone are not
// used. On an error nothing changes. The file stays open unless its name or its rotation changes.
func (f *File) Configure(c Config) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, old := f.file, f.file
	if old == nil || !sameFile(c, f.config) {
		if err := CheckFile(c.File, c.MaxSize); err != nil {
			return fmt.Errorf("log %s: %w", c.File, err)
		}
		file = newFile(c)
	}
	f.config, f.file, f.entries = c, file, &lineWriter{w: file, path: c.File, broken: endsWithinLine(c.File)}
	if old != nil && old != file {
		old.Close()
	}
	return nil
}

// Write appends one entry by one write. The first entry opens the file.
func (f *File) Write(entry []byte) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.entries.Write(entry)
}

// Reopen closes the file, so that the next entry opens it by its name again.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	f.entries.broken = endsWithinLine(f.config.File)
	return f.file.Close()
}

func sameFile(a, b Config) bool {
	a.Format, a.Timezone = b.Format, b.Timezone
	return a == b
}

func newFile(c Config) *lumberjack.Logger {
	file := &lumberjack.Logger{
		Filename:   c.File,
		MaxSize:    c.MaxSize,
		MaxAge:     c.MaxAge,
		MaxBackups: c.MaxBackups,
		Compress:   c.Compress,
		LocalTime:  true,
	}
	if c.MaxSize == 0 { // lumberjack takes 0 for 100
		file.MaxSize = math.MaxInt >> 20
	}
	return file
}

// CheckFile returns an error if path names something that cannot be a log file. lumberjack
// would rename such a file, and opening a FIFO would block every login.
func CheckFile(path string, maxSize int) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return nil // the first event tries again, and logs the error
	case info.Mode().IsRegular():
		return nil
	case info.Mode()&fs.ModeCharDevice != 0 && maxSize == 0:
		return nil
	case info.Mode()&fs.ModeCharDevice != 0:
		return errors.New("is a device, which cannot be rotated: set max_size = 0")
	}
	return errors.New("exists and is not a regular file")
}
