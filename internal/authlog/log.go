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
	_ "time/tzdata" // a chroot or a small container has no zone data

	"gopkg.in/natefinch/lumberjack.v2"
)

// Config says where the log goes and what it looks like.
type Config struct {
	File       string
	Format     string // one of [Formats]
	Timezone   string // IANA name; empty: the system's
	MaxSize    int    // MiB before the file rotates; 0: never, somebody else does
	MaxAge     int    // days that rotated files are kept; 0: for ever
	MaxBackups int    // how many rotated files are kept; 0: all
	Compress   bool   // gzip rotated files
}

// Log is auth.log, for use by any number of goroutines. There is one for the life of a
// process: lumberjack's goroutine outlives Close.
type Log struct {
	warn warner
	lost atomic.Uint64

	mu      sync.RWMutex // held for reading by those who write events
	config  Config
	file    *lumberjack.Logger
	entries *wholeEntries // around file
	encode  encoder
}

// Open prepares a log; the file itself is opened by the first event, and by the
// next one if that failed.
func Open(c Config, stderr *slog.Logger) (*Log, error) {
	l := &Log{warn: warner{log: stderr}}
	return l, l.Configure(c)
}

// Configure makes all later events go where c says. On an error nothing changes. The
// open file is kept unless the file or its rotation changes.
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
	entries := &wholeEntries{w: file, broken: endsBroken(c.File)}
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
	if c.MaxSize == 0 { // to lumberjack 0 means 100
		file.MaxSize = math.MaxInt >> 20
	}
	return file
}

// CheckFile refuses a path where something is that is no log file. lumberjack would
// rename it away, and opening a FIFO would block every login.
func CheckFile(path string, maxSize int) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return nil // found out, and told, by the first event
	case info.Mode().IsRegular():
		return nil
	case info.Mode()&fs.ModeCharDevice != 0 && maxSize == 0:
		return nil
	case info.Mode()&fs.ModeCharDevice != 0:
		return errors.New("is a device, which cannot be rotated: set max_size = 0")
	}
	return errors.New("exists and is not a regular file")
}

// Zone finds a time zone by its IANA name, the system's for an empty one.
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

// Write appends one event. It does not fail: see the package comment.
func (l *Log) Write(e *Event) {
	l.mu.RLock()
	err := l.encode(e)
	l.mu.RUnlock()
	if err != nil {
		l.lost.Add(1)
		l.warn.sometimes(e.End, "log", "auth.log cannot be written, logins go on", "error", err)
	}
	if e.Outcome == TempFail {
		l.warn.sometimes(e.End, e.Server+" "+string(e.Reason)+" "+e.Method, "temporary failure",
			"server", e.Server, "method", Escape(e.Method), "reason", e.Reason, "error", Escape(e.Error))
	}
}

// Lost is the number of events that could not be written.
func (l *Log) Lost() uint64 { return l.lost.Load() }

// Reopen makes the next event open the file by its name again, as after logrotate.
func (l *Log) Reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries.broken = endsBroken(l.config.File)
	return l.file.Close()
}

// Close closes the file.
func (l *Log) Close() error { return l.Reopen() }
