package authlog

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // a chroot or a small container has no time zone data
)

// Log is auth.log. It is safe for concurrent use. Make only one in a process: see [File].
type Log struct {
	warnings *Warner
	lost     atomic.Uint64
	outage   outage
	file     File

	mu     sync.RWMutex // Write holds it for reading
	encode encoder
}

// Open prepares a log. The first event opens the file; if that fails, the next event tries
// again. Warnings go to stderr.
func Open(c Config, stderr *slog.Logger) (*Log, error) {
	l := &Log{warnings: NewWarner(stderr), outage: outage{log: stderr}}
	return l, l.Configure(c)
}

// Configure applies c to all later events. On an error nothing changes. The file stays open
// unless its name or its rotation changes.
func (l *Log) Configure(c Config) error {
	zone, err := Zone(c.Timezone)
	if err != nil {
		return err
	}
	encode, err := newEncoder(c.Format, zone, &l.file)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Configure(c); err != nil {
		return err
	}
	l.encode = encode
	return nil
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
		l.outage.lost.Add(1)
		l.cannotWrite(e.End, err)
	} else if l.outage.lost.Load() > 0 {
		l.outage.over(e.End)
	}
	if e.Outcome == TempFail {
		l.warnTempFail(e)
	}
}

func (l *Log) cannotWrite(now time.Time, err error) {
	l.warnings.Warn(now, "log", "auth.log cannot be written, logins go on", "error", err)
}

// warnTempFail limits the warnings of each mail server and each passdb by themselves, so that none hides the outage of
// another.
func (l *Log) warnTempFail(e *Event) {
	where := []any{"server", e.Server}
	if e.Passdb != "" {
		where = append(where, "passdb", e.Passdb)
	}
	l.warnings.Warn(e.End, e.Server+" "+e.Passdb+" "+string(e.Reason)+" "+e.Method, "temporary failure",
		append(where, "method", Escape(e.Method), "reason", e.Reason, "error", Escape(e.Error))...)
}

// Lost returns the number of events that could not be written.
func (l *Log) Lost() uint64 { return l.lost.Load() }

// Reopen closes the file, so that the next event opens it by its name again. Call it after
// another program, such as logrotate, has moved the file.
func (l *Log) Reopen() error {
	l.mu.Lock() // no event is being written
	defer l.mu.Unlock()
	return l.file.Reopen()
}

// Close closes the file. An event that is written later opens it again.
func (l *Log) Close() error { return l.Reopen() }
