package authlog

import (
	"log/slog"
	"sync"
	"time"
)

const (
	warnEvery   = time.Minute
	maxWarnings = 1000 // the largest number of keys remembered; beyond it all are forgotten
)

// warner logs warnings, each at most once a minute.
type warner struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[string]*warning // by key
}

// warning is the last warning for one key.
type warning struct {
	at         time.Time
	suppressed int // how many were suppressed since
}

// warn logs a warning, unless it has logged one for the same key within the last minute. The
// next warning then has the number of those that were suppressed.
func (w *warner) warn(now time.Time, key, msg string, args ...any) {
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
		return
	}
	if last.suppressed > 0 {
		args = append(args, "suppressed", last.suppressed)
	}
	*last = warning{at: now}
	w.log.Warn(msg, args...)
}
