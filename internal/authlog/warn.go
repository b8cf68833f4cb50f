package authlog

import (
	"log/slog"
	"sync"
	"time"
)

const (
	warnEvery   = time.Minute
	maxWarnings = 1000 // different ones remembered; past that all may be repeated early
)

// warner says the same thing at most once a minute.
type warner struct {
	log  *slog.Logger
	mu   sync.Mutex
	said map[string]*said
}

type said struct {
	at         time.Time
	suppressed int
}

// sometimes warns, unless it has done so for the same key within the last minute;
// the next warning then says how many there would have been.
func (w *warner) sometimes(now time.Time, key, msg string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.said[key]
	if s == nil {
		if w.said == nil || len(w.said) >= maxWarnings {
			w.said = make(map[string]*said)
		}
		s = new(said)
		w.said[key] = s
	} else if now.Sub(s.at).Abs() < warnEvery { // events may come out of order
		s.suppressed++
		return
	}
	if s.suppressed > 0 {
		args = append(args, "suppressed", s.suppressed)
	}
	*s = said{at: now}
	w.log.Warn(msg, args...)
}
