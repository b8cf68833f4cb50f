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
//	HeaderTimeout    10 s      from connecting to a complete HTTP request
//	IdleTimeout      60 s      of an HTTP connection between requests
//	MaxHeaderBytes   256 KiB   of one HTTP request
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/route"
)

// Limits for HTTP; nginx sends one small GET and closes.
const (
	HeaderTimeout  = 10 * time.Second
	IdleTimeout    = 60 * time.Second
	MaxHeaderBytes = 256 << 10
)

// Server answers nginx.
type Server struct {
	path     string
	log      *slog.Logger
	resolver *route.Resolver
	state    atomic.Pointer[state]

	mu        sync.Mutex // one reload at a time
	listeners map[string]*listener
	leaving   map[string]*listener // by the last reload, and perhaps not done yet
	stopped   bool
	stopNames context.CancelFunc
}

// state is all that depends on the configuration.
type state struct {
	config *config.Config
	auth   *auth.Authenticator
	log    *authlog.Log
}

// Start loads the configuration at path, opens everything and begins to serve.
func Start(path string, log *slog.Logger) (*Server, error) {
	s := &Server{
		path:      path,
		log:       log,
		resolver:  route.NewResolver(nil),
		listeners: make(map[string]*listener),
	}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stopNames = cancel
	go s.resolver.Run(ctx)
	return s, nil
}

// NewAuthenticator makes the one that decides by a configuration.
func NewAuthenticator(c *config.Config, resolver *route.Resolver) *auth.Authenticator {
	return &auth.Authenticator{
		Methods:        c.Auth.Methods,
		DefaultDomain:  c.Auth.DefaultDomain,
		FailureMessage: c.Auth.FailureMessage,
		ResponseCodes:  c.Auth.ResponseCodes,
		Domains:        c.Domains,
		Users:          c.Users,
		Resolver:       resolver,
		Hashing:        auth.NewSlots(c.Auth.HashConcurrency),
		Now:            time.Now,
	}
}

// Reload loads the configuration, completely or not at all.
func (s *Server) Reload() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("shutting down")
	}
	c, err := config.Load(s.path)
	if err != nil {
		return err
	}
	old := s.state.Load()
	next := &state{config: c, auth: NewAuthenticator(c, s.resolver)}
	if next.log, err = s.openLog(old, c.Log); err != nil {
		return err
	}
	listeners, err := s.openListeners(c.Listen)
	if err != nil {
		return err
	}
	for _, err := range s.resolver.Watch(context.Background(), c.Hosts()) {
		s.log.Warn("name not resolved so far", "error", err)
	}
	s.switchState(old, next)
	s.switchListeners(listeners, c.Listen.Grace)
	s.log.Info("configuration loaded", "servers", len(c.Servers), "domains", c.Domains.Len(), "users", c.Users.Len())
	return nil
}

// switchState makes next the one that new requests are decided by. A log whose file
// changes is closed first: lumberjack appends to a file that it opens, but not to
// one that it has made itself, which the new log may be about to open. Requests
// in flight may open it once more.
func (s *Server) switchState(old, next *state) {
	if old == nil || old.log.SameFile(next.log) {
		s.state.Store(next)
		return
	}
	old.log.Close()
	s.state.Store(next)
	old.log.Close()
}

// openLog keeps what is open of a log, as far as its configuration did not change.
func (s *Server) openLog(old *state, c authlog.Config) (*authlog.Log, error) {
	if old != nil {
		return old.log.Reconfigure(c)
	}
	return authlog.Open(c, s.log)
}

// Reopen makes the log open its file by name again.
func (s *Server) Reopen() error { return s.state.Load().log.Reopen() }

// ServeHTTP answers one request. The status is always 200: nginx reads headers only.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	st.log.Write(&event)
	return response
}

// Shutdown ends the server within the configured grace.
func (s *Server) Shutdown() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.stopNames()
	st := s.state.Load()
	ctx, cancel := context.WithTimeout(context.Background(), st.config.Listen.Grace)
	defer cancel()
	for name, l := range s.leaving {
		s.listeners["leaving "+name] = l
	}
	return errors.Join(shutdownAll(ctx, s.listeners), st.log.Close())
}
