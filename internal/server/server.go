// Package server connects the parts of the service: sockets, configuration, decisions and log.
//
// # Configuration
//
// Everything that a request needs is reached through one atomic pointer. [Server.Reload] builds
// the new state, new sockets included, before it swaps the pointer. If any of that fails, nothing
// changes. A request is decided by the configuration that it began with. What the
// next one does not take over is closed after the last such request. Sockets that are in both
// configurations stay open.
//
// # Shutdown
//
// [Server.Shutdown] stops accepting, and answers every request on a connection that was made before;
// package listen says how. What is left of [listen] grace it waits for comparisons (package shadow).
//
// # Limits
//
//	HeaderTimeout    10 s     from the accept to a complete HTTP request
//	AnswerTimeout    60 s     from there to the end of the answer; nginx waits no longer
//	IdleTimeout      60 s     between requests of an HTTP connection
//	MaxHeaderBytes   64 KiB   of one HTTP request
//	scrapeTimeout    10 s     of a scrape of the metrics
//	maxScrapes       4        scrapes at a time, and as many requests for the status, on each socket
//	checkInterval    1 s      between two checks whether the log can be written, whoever asks
//
// Package listen has the limits of FastCGI and of the number of connections.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
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
	"mailauthd/internal/shadow"
)

// Limits of HTTP. nginx sends one small GET and closes the connection.
const (
	HeaderTimeout  = 10 * time.Second
	AnswerTimeout  = 60 * time.Second
	IdleTimeout    = 60 * time.Second
	MaxHeaderBytes = 64 << 10
)

// Server answers the auth_http requests of nginx.
type Server struct {
	path     string
	version  string
	identity string // version and process
	log      *slog.Logger
	resolver *route.Resolver
	events   *authlog.Log
	shadow   *shadow.Shadow
	metrics  *metrics
	tally    tally
	refused  listen.Refusals
	state    atomic.Pointer[state]

	reloading sync.Mutex // one reload at a time
	stop      context.Context
	cancel    context.CancelFunc // ends what runs in the background

	mu        sync.Mutex // of what follows
	listeners map[string]*listener
	leaving   map[*listener]bool // no longer configured, but still busy
	stopped   bool
}

// Start loads the configuration at path, opens sockets and log, and begins to serve. The version is for requests that
// ask which service answers.
func Start(path, version string, log *slog.Logger) (*Server, error) {
	s := &Server{
		path:      path,
		version:   version,
		tally:     tally{start: time.Now()},
		identity:  fmt.Sprintf("%s, pid %d", version, os.Getpid()),
		log:       log,
		resolver:  route.NewResolver(nil),
		listeners: make(map[string]*listener),
		leaving:   make(map[*listener]bool),
	}
	s.metrics = newMetrics(s)
	s.shadow = shadow.New(log, s.metrics.compared)
	s.stop, s.cancel = context.WithCancel(context.Background())
	if err := s.Reload(); err != nil {
		s.cancel()
		return nil, err
	}
	go s.resolver.Run(s.stop, func(err error) { s.notResolved(s.state.Load().config, err) })
	return s, nil
}

func (s *Server) notResolved(c *config.Config, err error) {
	s.log.Warn("name not resolved", "error", c.NotResolved(err))
}

// Reload loads the configuration again. If it returns an error, nothing has changed.
func (s *Server) Reload() (err error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	defer func() { s.reloaded(err) }()
	defer func() {
		if p := recover(); p != nil { // a panic of a parser, whose value may contain a secret
			err = fmt.Errorf("panic (%T) while loading", p)
		}
	}()
	var old *config.Config
	if st := s.state.Load(); st != nil {
		old = st.config
	}
	c, err := config.Reload(s.path, old)
	if err != nil {
		return err
	}
	if c.AccountErr != nil {
		c.Close()
		return c.AccountErr
	}
	for _, err := range s.resolver.Watch(s.stop, c.Names()) {
		s.notResolved(c, err)
	}
	if err := s.swap(c); err != nil {
		c.Close()
		if old := s.state.Load(); old != nil { // its names must still be resolved
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

// swap puts a configuration in force.
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
	old := s.state.Load()
	if err := s.configureLogs(c, old); err != nil {
		s.undo(listeners)
		return err
	}
	next := s.newState(c)
	next.inherit(old)
	s.state.Store(next)
	if next.redis != nil && (old == nil || old.redis != next.redis) {
		next.redis.begin()
	}
	if old != nil {
		old.leave(next)
	}
	s.switchListeners(listeners, c.Listen)
	return nil
}

// configureLogs configures auth.log and the shadow log, or neither.
func (s *Server) configureLogs(c *config.Config, old *state) (err error) {
	if s.events == nil {
		s.events, err = authlog.Open(c.Log, s.log)
	} else {
		err = s.events.Configure(c.Log)
	}
	if err != nil {
		return err
	}
	if err = s.shadow.Configure(c.Shadow, c.Log); err != nil && old != nil {
		s.events.Configure(old.config.Log)
	}
	if err == nil {
		s.events.Check(time.Now())
	}
	return err
}

// Reopen opens the files of the logs again, after they were renamed.
func (s *Server) Reopen() error { return errors.Join(s.events.Reopen(), s.shadow.Reopen()) }

// ServeHTTP answers one request. The status is 200 for every login, because nginx reads only
// headers. It is 403 for a request without the configured secret. "mailauthd test-login -via" asks which service answers,
// also of a request without the secret.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if r.Header[authhttp.Identify] != nil {
		header[authhttp.Identity] = []string{s.identity}
	}
	if !s.hasSecret(r) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	defer s.tally.begin()()
	response := s.answer(r)
	response.WriteHeader(header)
	if s.isLoop(r) {
		header[shadow.Header] = []string{"1"}
	}
	header["Content-Type"] = nil // no content; nginx has a buffer of 1024 bytes
	header["Date"] = nil
	w.WriteHeader(http.StatusOK)
}

// answer decides a request. It turns a panic into a temporary failure, because a panic in a handler
// of net/http/fcgi would end the process.
func (s *Server) answer(r *http.Request) (response authhttp.Response) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic while answering a request", "type", fmt.Sprintf("%T", p))
			response = auth.Unavailable(r.Header)
		}
	}()
	st := s.enter()
	defer st.busy.RUnlock()
	if st.script != nil {
		return s.answerShadowed(st, r)
	}
	response, event := st.auth.Answer(r.Context(), r.Header)
	s.record(&event)
	return response
}

// Shutdown ends the server. It waits for requests and for comparisons, no longer than [listen] grace.
func (s *Server) Shutdown() error {
	s.cancel()
	busy := s.stopListening() // from now on no reload changes the state
	st := s.state.Load()
	st.end()
	defer st.redis.end()
	defer st.auth.Close(nil)
	ctx, cancel := context.WithTimeout(context.Background(), st.config.Listen.Grace)
	defer cancel()
	err := shutdownAll(ctx, busy)
	return errors.Join(err, s.shadow.Shutdown(ctx), s.events.Close())
}

// stopListening prevents further reloads, and returns all listeners that may be busy.
func (s *Server) stopListening() []*listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	return slices.AppendSeq(slices.Collect(maps.Values(s.listeners)), maps.Keys(s.leaving))
}
