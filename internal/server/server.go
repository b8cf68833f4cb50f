// Package server wires the parts together: sockets, configuration, decision and log.
//
// # Configuration
//
// All that a request needs hangs on one atomic pointer. [Server.Reload] builds
// everything anew, new sockets included, before it swaps the pointer; if any of it
// fails, all stays as it was. A request is decided by the configuration that it
// began with. Sockets that stay configured stay open.
//
// # Shutdown
//
// [Server.Shutdown] stops accepting, lets the requests that have begun to arrive
// finish, and ends idle connections at once (net/http waits 5 s for an HTTP connection that
// has not sent anything).
//
// # Limits
//
//	HeaderTimeout    10 s     from connecting to a complete HTTP request
//	AnswerTimeout    60 s     from there to the end of the answer; nginx waits no longer
//	IdleTimeout      60 s     of an HTTP connection between requests
//	MaxHeaderBytes   64 KiB   of one HTTP request
//
// Package listen has those of FastCGI, and bounds the connections of both.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/listen"
	"mailauthd/internal/route"
)

// Limits for HTTP; nginx sends one small GET and closes.
const (
	HeaderTimeout  = 10 * time.Second
	AnswerTimeout  = 60 * time.Second
	IdleTimeout    = 60 * time.Second
	MaxHeaderBytes = 64 << 10
)

// Server answers nginx.
type Server struct {
	path     string
	log      *slog.Logger
	resolver *route.Resolver
	events   *authlog.Log
	metrics  *metrics
	refused  listen.Refusals
	state    atomic.Pointer[state]

	reloading sync.Mutex // one reload at a time
	stop      context.Context
	cancel    context.CancelFunc // ends what runs in the background

	mu        sync.Mutex // of what follows
	listeners map[string]*listener
	leaving   map[*listener]bool // no longer configured, and still busy
	stopped   bool
}

// Start loads the configuration at path, opens everything and begins to serve.
func Start(path string, log *slog.Logger) (*Server, error) {
	s := &Server{
		path:      path,
		log:       log,
		resolver:  route.NewResolver(nil),
		listeners: make(map[string]*listener),
		leaving:   make(map[*listener]bool),
	}
	s.metrics = newMetrics(s)
	s.stop, s.cancel = context.WithCancel(context.Background())
	if err := s.Reload(); err != nil {
		s.cancel()
		return nil, err
	}
	go s.resolver.Run(s.stop, s.notResolved)
	return s, nil
}

func (s *Server) notResolved(err error) { s.log.Warn("name not resolved", "error", err) }

// Reload loads the configuration, completely or not at all.
func (s *Server) Reload() (err error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	defer func() { s.metrics.reloaded(err) }()
	defer func() {
		if p := recover(); p != nil { // a parser's: what it was about may be a secret
			err = fmt.Errorf("panic (%T) while loading", p)
		}
	}()
	c, err := config.Load(s.path)
	if err == nil {
		err = c.AccountErr
	}
	if err != nil {
		return err
	}
	for _, err := range s.resolver.Watch(s.stop, c.Names()) {
		s.notResolved(err)
	}
	if err := s.swap(c); err != nil {
		if old := s.state.Load(); old != nil { // whose names must stay fresh
			s.resolver.Watch(s.stop, old.config.Names())
		}
		return err
	}
	for _, w := range c.Warnings {
		s.log.Warn(w.Error())
	}
	s.log.Info("configuration loaded", "servers", len(c.Servers), "domains", c.Domains.Len(), "users", c.Users.Len())
	return nil
}

// swap makes a configuration the one in force.
func (s *Server) swap(c *config.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("shutting down")
	}
	listeners, err := s.openListeners(c.Listen)
	if err != nil {
		return err
	}
	if err := s.configureLog(c.Log); err != nil {
		s.undo(listeners)
		return err
	}
	old, next := s.state.Load(), s.newState(c)
	next.inherit(old)
	s.state.Store(next)
	if old != nil {
		old.end()
		go old.auth.Close(next.auth)
	}
	s.switchListeners(listeners, c.Listen)
	return nil
}

func (s *Server) configureLog(c authlog.Config) (err error) {
	if s.events != nil {
		return s.events.Configure(c)
	}
	s.events, err = authlog.Open(c, s.log)
	return err
}

// Reopen makes the log open its file by name again.
func (s *Server) Reopen() error { return s.events.Reopen() }

// ServeHTTP answers one request. The status is always 200: nginx reads headers only.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.mayAsk(r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	response := s.answer(r)
	header := w.Header()
	response.WriteHeader(header)
	header["Content-Type"] = nil // there is no content, and nginx has room for 1024 bytes
	header["Date"] = nil
	w.WriteHeader(http.StatusOK)
}

// answer makes a panic a temporary failure: net/http/fcgi would end the process.
func (s *Server) answer(r *http.Request) (response authhttp.Response) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic outside of the decision", "type", fmt.Sprintf("%T", p))
			response = auth.Unavailable(r.Header)
		}
	}()
	st := s.state.Load()
	response, event := st.auth.Answer(r.Context(), r.Header)
	s.events.Write(&event)
	s.metrics.count(&event)
	return response
}

// Shutdown ends the server within the configured grace.
func (s *Server) Shutdown() error {
	s.cancel()
	busy := s.stopListening() // after which no reload changes the state
	st := s.state.Load()
	st.end()
	defer st.auth.Close(nil)
	ctx, cancel := context.WithTimeout(context.Background(), st.config.Listen.Grace)
	defer cancel()
	err := shutdownAll(ctx, busy)
	return errors.Join(err, s.events.Close())
}

// stopListening ends reloads, and returns all listeners that may be busy.
func (s *Server) stopListening() []*listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return slices.AppendSeq(slices.Collect(maps.Values(s.listeners)), maps.Keys(s.leaving))
}
