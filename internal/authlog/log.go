package authlog

import (
	"fmt"
	"log/slog"
	"math"
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

// Log is an open auth.log, for use by any number of goroutines.
type Log struct {
	file   *lumberjack.Logger
	encode encoder
	warn   warner
}

// Open prepares a log; the file itself is opened by the first event, and by the
// next one if that failed. Keep a Log for the life of the process where possible:
// lumberjack's goroutine outlives Close.
func Open(c Config, stderr *slog.Logger) (*Log, error) {
	zone, err := Zone(c.Timezone)
	if err != nil {
		return nil, err
	}
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
	encode, err := newEncoder(c.Format, zone, file)
	if err != nil {
		return nil, err
	}
	return &Log{file: file, encode: encode, warn: warner{log: stderr}}, nil
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
	if err := l.encode(e); err != nil {
		l.warn.sometimes(e.End, "log", "auth.log cannot be written, logins go on", "error", err)
	}
	if e.Outcome == TempFail {
		l.warn.sometimes(e.End, e.Server+" "+string(e.Reason)+" "+e.Method, "temporary failure",
			"server", e.Server, "method", Escape(e.Method), "reason", e.Reason, "error", Escape(e.Error))
	}
}

// Reopen makes the next event open the file by its name again, as after logrotate.
func (l *Log) Reopen() error { return l.file.Close() }

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }
