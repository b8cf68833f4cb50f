package main

import (
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"

	"mailauthd/internal/server"
)

// serve runs until SIGTERM or SIGINT.
func serve(c *call) error {
	c.newFlags()
	path := c.configFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	ballast := setCollector()
	defer runtime.KeepAlive(ballast)
	signal.Ignore(syscall.SIGPIPE) // the reader of standard error may end before us
	stderr := newStderrQueue(c.stderr)
	log := slog.New(slog.NewTextHandler(stderr, nil))
	// Each kind of signal has a channel of its own, so that none is lost while another waits. A channel
	// holds one signal, because several of a kind ask for the same thing.
	stop, hup, usr1 := notified(syscall.SIGTERM, syscall.SIGINT), notified(syscall.SIGHUP), notified(syscall.SIGUSR1)
	s, err := server.Start(*path, version, log)
	if err != nil {
		stderr.flush()
		return err
	}
	notifyLoaded(s, nil)
	go watch(s, log)
	go reload(s, log, hup)
	go reopen(s, log, usr1)
	sig := <-stop
	signal.Reset(syscall.SIGTERM, syscall.SIGINT) // a second signal ends the process at once
	log.Info("shutting down", "signal", sig.String())
	notify(daemon.SdNotifyStopping, "finishing requests")
	if err := s.Shutdown(); err != nil {
		log.Warn("some requests did not finish within [listen] grace", "error", err)
	}
	stderr.flush()
	return nil
}

func notified(signals ...os.Signal) chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, signals...)
	return c
}

func reload(s *server.Server, log *slog.Logger, hup <-chan os.Signal) {
	for range hup {
		notifyReloading()
		err := s.Reload()
		if err != nil {
			log.Error("configuration not loaded: the old one stays in use", "error", err)
		}
		notifyLoaded(s, err)
	}
}

func reopen(s *server.Server, log *slog.Logger, usr1 <-chan os.Signal) {
	for range usr1 {
		if err := s.Reopen(); err != nil {
			log.Error("log not reopened", "error", err)
		}
	}
}
