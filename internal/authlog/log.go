package authlog

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // a chroot or a small container has no time zone data

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

// Log is auth.log. It is safe for concurrent use. Make only one in a process, because
// lumberjack's goroutine outlives Close.
type Log struct {
	warnings warner
	lost     atomic.Uint64

	mu      sync.RWMutex // Write holds it for reading
	config  Config
	file    *lumberjack.Logger
	entries *lineWriter // writes to file
	encode  encoder
}

// Open prepares a log. The first event opens the file; if that fails, the next event tries
// again. Warnings go to stderr.
func Open(c Config, stderr *slog.Logger) (*Log, error) {
	l := &Log{warnings: warner{log: stderr}}
	return l, l.Configure(c)
}

// Configure applies c to all later events. On an error nothing changes. The file stays open
// unless its name or its rotation changes.
func (l *Log) Configure(c Config) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	file, old := l.file, l.file
	if old == nil || !sameFile(c, l.config) {
		if err := CheckFile(c.File, c.MaxSize); err != nil {
			return fmt.Errorf("log %s: %w", c.File, err)
		}
		file = newFile(c)
	}
	zone, err := Zone(c.Timezone)
	if err != nil {
		return err
	}
	entries := &lineWriter{w: file, broken: endsWithinLine(c.File)}
	encode, err := newEncoder(c.Format, zone, entries)
	if err != nil {
		return err
	}
	l.config, l.file, l.entries, l.encode = c, file, entries, encode
	if old != nil && old != file {
		old.Close()
	}
	return nil
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

// Zone returns the time zone with an IANA name, or the system's time zone if name is empty.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q (want an IANA name such as \"Europe/Moscow\")", name)
	}
	return zone, nil
}

// Write appends one event. It returns no error: the package comment says what happens to an
// event that cannot be written.
func (l *Log) Write(e *Event) {
	l.mu.RLock()
	err := l.encode(e)
	l.mu.RUnlock()
	if err != nil {
		l.lost.Add(1)
		l.warnings.warn(e.End, "log", "auth.log cannot be written, logins go on", "error", err)
	}
	if e.Outcome == TempFail {
		l.warnings.warn(e.End, e.Server+" "+string(e.Reason)+" "+e.Method, "temporary failure",
			"server", e.Server, "method", Escape(e.Method), "reason", e.Reason, "error", Escape(e.Error))
	}
}

// Lost returns the number of events that could not be written.
func (l *Log) Lost() uint64 { return l.lost.Load() }

// Reopen closes the file, so that the next event opens it by its name again. Call it after
// another program, such as logrotate, has moved the file.
func (l *Log) Reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries.broken = endsWithinLine(l.config.File)
	return l.file.Close()
}

// Close closes the file. An event that is written later opens it again.
func (l *Log) Close() error { return l.Reopen() }
