package shadow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
)

// None is the outcome of a service that was not asked.
const None = "none"

// Result is what the metrics need to know of one request.
type Result struct {
	Ours, Theirs string        // outcomes; None if the comparison was skipped
	Took         time.Duration // until the script had answered, or was given up
	Different    bool
}

// Decide is our decision on a request.
type Decide func(context.Context) (authhttp.Response, authlog.Event)

// Shadow compares, logs and counts. It survives reloads: make only one in a process.
type Shadow struct {
	count    func(Result)
	warnings *authlog.Warner
	file     *authlog.File
	zone     atomic.Pointer[time.Location]
	ctx      context.Context // of all comparisons
	cancel   context.CancelFunc

	mu       sync.Mutex
	busy     int // comparisons in progress
	stopped  bool
	progress sync.WaitGroup // as busy
}

// New makes a Shadow. Warnings go to stderr, and count is called once for each request.
func New(stderr *slog.Logger, count func(Result)) *Shadow {
	s := &Shadow{count: count, warnings: authlog.NewWarner(stderr), file: new(authlog.File)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Configure opens the shadow log. It is rotated as auth.log, whose configuration is log. If c is nil, the shadow log is
// closed. On an error nothing changes.
func (s *Shadow) Configure(c *Config, log authlog.Config) error {
	if c == nil {
		return s.file.Reopen()
	}
	zone, err := authlog.Zone(log.Timezone)
	if err != nil {
		return err
	}
	log.File = c.Log
	if err := s.file.Configure(log); err != nil {
		return err
	}
	s.zone.Store(zone)
	return nil
}

// Reopen opens the shadow log again, after it was renamed.
func (s *Shadow) Reopen() error { return s.file.Reopen() }

// AskTheirs returns the script's answer to a request with the headers h. Our own decision is made after it, in the
// background.
func (s *Shadow) AskTheirs(script *Script, h http.Header, decide Decide) Reply {
	start := time.Now()
	reply := script.Ask(s.ctx, h)
	known := Result{Ours: None, Theirs: reply.Response.Outcome.String(), Took: reply.Took}
	s.apart(script, known, func(r *Result) {
		response, event := decide(s.ctx)
		r.Ours = response.Outcome.String()
		r.Different = s.compare(h, &pair{start: start, answered: Theirs, response: response, event: event, reply: reply})
	})
	return reply
}

// CompareOurs asks the script in the background about a request that we have answered already.
func (s *Shadow) CompareOurs(script *Script, h http.Header, response authhttp.Response, event authlog.Event) {
	known := Result{Ours: response.Outcome.String(), Theirs: None}
	s.apart(script, known, func(r *Result) {
		reply := script.Ask(s.ctx, h)
		r.Theirs, r.Took = reply.Response.Outcome.String(), reply.Took
		r.Different = s.compare(h, &pair{start: event.Start, answered: Ours, response: response, event: event, reply: reply})
	})
}

// apart completes what is known so far in the background. If too many comparisons are in progress, or the service
// stops, only what is known is counted.
func (s *Shadow) apart(script *Script, known Result, complete func(*Result)) {
	if !s.begin(script.MaxRequests) {
		s.count(known)
		return
	}
	go func() {
		defer s.end()
		result := known
		defer func() {
			if p := recover(); p != nil { // of which the value may contain a secret
				s.warnings.Warn(time.Now(), "panic", "panic while comparing with [shadow] url", "type", fmt.Sprintf("%T", p))
				result = known
			}
			if s.ctx.Err() != nil { // the other service was not waited for
				result = known
			}
			s.count(result)
		}()
		complete(&result)
	}()
}

func (s *Shadow) begin(limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.busy >= limit {
		return false
	}
	s.busy++
	s.progress.Add(1)
	return true
}

func (s *Shadow) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	s.progress.Done()
}

// compare logs the difference if there is one. While the script gives no answer, that is logged once a minute for each
// cause.
func (s *Shadow) compare(h http.Header, p *pair) bool {
	if s.ctx.Err() != nil {
		return false
	}
	now := time.Now()
	silent := p.reply.Error != ""
	logged := silent && s.warnings.Warn(now, "script: "+p.reply.Error, "no answer from the script at [shadow] url", "error", authlog.Escape(p.reply.Error))
	p.request, _ = authhttp.ReadRequest(h)
	p.sent = h.Get(passHeader)
	d, different := p.compare()
	if !different || silent && !logged {
		return different
	}
	d.Time = p.start.In(s.zone.Load()).Format(timeFormat)
	if err := s.write(&d); err != nil {
		s.warnings.Warn(now, "log", "the shadow log cannot be written", "error", err)
	}
	return true
}

// WarnOfLoop logs, once a minute, that a request has come back to us.
func (s *Shadow) WarnOfLoop() {
	s.warnings.Warn(time.Now(), "loop", "temporary failure: "+loop+", or a client has sent the header "+Header)
}

const timeFormat = "2006-01-02T15:04:05.000000Z07:00" // as in auth.log

func (s *Shadow) write(d *Difference) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line) // ends each line
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(d); err != nil {
		return err
	}
	_, err := s.file.Write(line.Bytes())
	return err
}

// Shutdown waits for comparisons in progress until ctx is done. It then gives them up, and closes the shadow log.
func (s *Shadow) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.progress.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.cancel()
	return s.file.Reopen()
}
