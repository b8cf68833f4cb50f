package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mailauthd/internal/config"
	"mailauthd/internal/listen"
)

// listener is one open socket.
type listener struct {
	name     string // for the log
	socket   net.Listener
	options  listen.Options
	wanted   listen.Options // the options of the configuration that is being loaded
	requests *atomic.Uint64
	stats    func() listen.Stats
	serve    func()
	close    func() error // stops accepting
	shutdown func(ctx context.Context) error
	stuck    func(limit time.Duration) bool // reports whether accepting has not gone on for so long
}

// openListeners opens the sockets that are configured and not open yet, and applies the options to
// the others. If it returns an error, nothing has changed.
func (s *Server) openListeners(c config.Listen) (map[string]*listener, error) {
	wanted := make(map[string]*listener)
	err := s.openAll(wanted, "fastcgi", c.FastCGI, c.Options, s.fastCGI)
	if err == nil {
		err = s.openAll(wanted, "http", c.HTTP, c.Options, func(l net.Listener) *listener { return s.http(l, s) })
	}
	if err == nil {
		err = s.openAll(wanted, "admin", c.Admin, listen.Options{Mode: 0o600}, func(l net.Listener) *listener { return s.http(l, s.admin()) })
	}
	if err == nil {
		err = s.openAll(wanted, "metrics", c.Metrics, c.Options, func(l net.Listener) *listener { return s.http(l, s.monitoring()) })
	}
	if err != nil {
		s.undo(wanted)
		return nil, err
	}
	return wanted, nil
}

// openAll opens the sockets of one kind.
func (s *Server) openAll(wanted map[string]*listener, kind string, addrs []listen.Address, o listen.Options, wrap func(net.Listener) *listener) error {
	for _, a := range addrs {
		name := kind + " " + a.String()
		if l := s.listeners[name]; l != nil && !listen.Lost(l.socket) {
			wanted[name], l.wanted = l, o
			if err := listen.Apply(l.socket, o); err != nil {
				return err
			}
			continue
		}
		socket, err := listen.Open(a, o, s.log)
		if err != nil {
			return err
		}
		wanted[name] = wrap(socket)
		wanted[name].name, wanted[name].wanted = name, o
	}
	return nil
}

// undo closes new sockets, and applies the old options to the others.
func (s *Server) undo(wanted map[string]*listener) {
	for name, l := range wanted {
		if s.listeners[name] == l {
			listen.Apply(l.socket, l.options)
		} else {
			l.socket.Close()
		}
	}
}

// switchListeners serves the new sockets, and closes the old ones. Requests on the old ones may
// finish in the background.
func (s *Server) switchListeners(wanted map[string]*listener, c config.Listen) {
	for name, l := range s.listeners {
		if wanted[name] != l {
			s.log.Info("no longer listening", "socket", name)
			s.retire(l, c.Grace)
		}
	}
	for name, l := range wanted {
		l.options = l.wanted
		if s.listeners[name] != l {
			s.log.Info("listening", "socket", name)
			go l.serve()
		}
	}
	s.listeners = wanted
	for _, socket := range listen.Unused(slices.Concat(c.FastCGI, c.HTTP, c.Admin, c.Metrics)) {
		s.log.Warn("systemd passed a socket that is not in [listen], so nobody answers there: add it, or disable its unit", "socket", socket)
	}
}

// retire stops accepting at once, so that another reload can open the socket again. It shuts the
// listener down in the background.
func (s *Server) retire(l *listener, grace time.Duration) {
	l.close()
	s.leaving[l] = true
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if err := l.shutdown(ctx); err != nil {
			s.log.Warn("some requests did not finish within [listen] grace", "socket", l.name, "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.leaving, l)
	}()
}

func (s *Server) fastCGI(socket net.Listener) *listener {
	l := listen.NewFastCGI(socket, s.log)
	requests := new(atomic.Uint64)
	return &listener{
		socket:   socket,
		requests: requests,
		stats:    l.Stats,
		serve:    func() { fcgi.Serve(l, counting(s, requests)) }, // returns when l is closed and has no connections
		close:    l.Close,
		shutdown: l.Shutdown,
		stuck:    l.Stuck,
	}
}

// counting counts the requests of a listener.
func counting(h http.Handler, n *atomic.Uint64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		h.ServeHTTP(w, r)
	})
}

func (s *Server) http(socket net.Listener, handler http.Handler) *listener {
	l := listen.NewHTTP(socket, s.log)
	requests := new(atomic.Uint64)
	h := &http.Server{
		Handler:        counting(l.LastAnswers(handler), requests),
		ReadTimeout:    HeaderTimeout, // from the accept to the end of the request
		WriteTimeout:   AnswerTimeout,
		IdleTimeout:    IdleTimeout,
		MaxHeaderBytes: MaxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	return &listener{
		socket:   socket,
		requests: requests,
		stats:    l.Stats,
		close:    l.Close,
		stuck:    l.Stuck,
		serve: func() {
			err := h.Serve(l)
			if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				s.log.Error("no longer listening", "socket", socket.Addr().String(), "error", err)
			}
		},
		shutdown: func(ctx context.Context) error { // not h.Shutdown, after which h does not answer what it reads
			defer h.Close()
			return l.Shutdown(ctx)
		},
	}
}

// shutdownAll shuts all listeners down at the same time, within ctx.
func shutdownAll(ctx context.Context, listeners []*listener) error {
	errs := make([]error, len(listeners))
	var wg sync.WaitGroup
	for i, l := range listeners {
		wg.Go(func() {
			if err := l.shutdown(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", l.name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
