package authlog

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	warnEvery   = time.Minute
	maxWarnings = 1000 // the largest number of keys remembered; beyond it all are forgotten
)

// Warner logs warnings, each at most once a minute. It is safe for concurrent use.
type Warner struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[string]*warning // by key
}

// warning is the last warning for one key.
type warning struct {
	at         time.Time
	suppressed int // how many were suppressed since
}

// NewWarner makes a Warner that logs to log.
func NewWarner(log *slog.Logger) *Warner { return &Warner{log: log} }

// Warn logs a warning, unless it has logged one for the same key within the last minute. The
// next warning then has the number of those that were suppressed. Warn reports whether it has
// logged the warning.
func (w *Warner) Warn(now time.Time, key, msg string, args ...any) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.last[key]
	if last == nil {
		if w.last == nil || len(w.last) >= maxWarnings {
			w.last = make(map[string]*warning)
		}
		last = new(warning)
		w.last[key] = last
	} else if now.Sub(last.at).Abs() < warnEvery { // events may come out of order
		last.suppressed++
		return false
	}
	if last.suppressed > 0 {
		args = append(args, "suppressed", last.suppressed)
	}
	*last = warning{at: now}
	w.log.Warn(msg, args...)
	return true
}

// outage counts the entries that are lost while the log cannot be written, until a message says so.
type outage struct {
	log  *slog.Logger
	lost atomic.Uint64

	mu     sync.Mutex
	toldAt time.Time
}

// over logs that the log is written again. A disk that is full from time to time causes one message a minute, and none of
// its lost entries is left out.
func (o *outage) over(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost.Load() == 0 || !o.toldAt.IsZero() && now.Sub(o.toldAt).Abs() < warnEvery {
		return
	}
	o.toldAt = now
	o.log.Warn("auth.log is written again", "lost", o.lost.Swap(0))
}
