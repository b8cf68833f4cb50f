package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"sync"
	"time"

	"mailauthd/internal/config"
	"mailauthd/internal/listen"
)

// listener is one open socket, serving or about to.
type listener struct {
	socket   net.Listener
	options  listen.Options
	serve    func()
	shutdown func(ctx context.Context) error
}

// openListeners opens what is configured and not open yet, and gives the rest its
// options. On an error nothing has changed.
func (s *Server) openListeners(c config.Listen) (map[string]*listener, error) {
	wanted := make(map[string]*listener)
	undo := func() {
		for name, l := range wanted {
			if s.listeners[name] == l {
				listen.Apply(l.socket, l.options)
			} else {
				l.socket.Close()
			}
		}
	}
	open := func(kind string, addrs []listen.Address, wrap func(net.Listener) *listener) error {
		for _, a := range addrs {
			name := kind + " " + a.String()
			if l := s.listeners[name]; l != nil && !listen.Lost(l.socket) {
				wanted[name] = l
				if err := listen.Apply(l.socket, c.Options); err != nil {
					return err
				}
				continue
			}
			socket, err := listen.Open(a, c.Options, s.log)
			if err != nil {
				return err
			}
			wanted[name] = wrap(socket)
		}
		return nil
	}
	err := open("fastcgi", c.FastCGI, s.fastCGI)
	if err == nil {
		err = open("http", c.HTTP, s.http)
	}
	if err != nil {
		undo()
		return nil, err
	}
	for _, l := range wanted {
		l.options = c.Options
	}
	return wanted, nil
}

// switchListeners starts the new sockets and lets the old ones finish in the background.
func (s *Server) switchListeners(wanted map[string]*listener, grace time.Duration) {
	gone := make(map[string]*listener)
	for name, l := range s.listeners {
		if wanted[name] != l {
			s.log.Info("no longer listening", "socket", name)
			gone[name] = l
		}
	}
	for name, l := range wanted {
		if s.listeners[name] != l {
			s.log.Info("listening", "socket", name)
			go l.serve()
		}
	}
	s.listeners, s.leaving = wanted, gone
	if len(gone) == 0 {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		shutdownAll(ctx, gone)
	}()
}

func (s *Server) fastCGI(socket net.Listener) *listener {
	l := listen.NewFastCGI(socket)
	return &listener{
		socket:   socket,
		serve:    func() { fcgi.Serve(l, s) }, // ends when l is closed
		shutdown: l.Shutdown,
	}
}

func (s *Server) http(socket net.Listener) *listener {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: HeaderTimeout,
		ReadTimeout:       HeaderTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	return &listener{
		socket: socket,
		serve: func() {
			if err := h.Serve(socket); !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("no longer listening", "socket", socket.Addr().String(), "error", err)
			}
		},
		shutdown: h.Shutdown,
	}
}

// shutdownAll ends listeners side by side, all within ctx.
func shutdownAll(ctx context.Context, listeners map[string]*listener) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for name, l := range listeners {
		wg.Go(func() {
			if err := l.shutdown(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
