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
	signal.Ignore(syscall.SIGPIPE) // who reads our standard error may go
	stderr := newStderrQueue(c.stderr)
	log := slog.New(slog.NewTextHandler(stderr, nil))
	// A channel for each, so that no signal is lost behind another: of many that ask
	// for the same one is enough.
	stop, hup, usr1 := notified(syscall.SIGTERM, syscall.SIGINT), notified(syscall.SIGHUP), notified(syscall.SIGUSR1)
	s, err := server.Start(*path, log)
	if err != nil {
		stderr.flush()
		return err
	}
	notify(daemon.SdNotifyReady)
	go reload(s, log, hup)
	go reopen(s, log, usr1)
	sig := <-stop
	signal.Reset(syscall.SIGTERM, syscall.SIGINT) // the next one does not wait
	log.Info("shutting down", "signal", sig.String())
	notify(daemon.SdNotifyStopping)
	if err := s.Shutdown(); err != nil {
		log.Warn("not everything finished within the grace", "error", err)
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
		notify(daemon.SdNotifyReloading)
		if err := s.Reload(); err != nil {
			log.Error("configuration not loaded, the old one stays", "error", err)
		}
		notify(daemon.SdNotifyReady)
	}
}

func reopen(s *server.Server, log *slog.Logger, usr1 <-chan os.Signal) {
	for range usr1 {
		if err := s.Reopen(); err != nil {
			log.Error("log not reopened", "error", err)
		}
	}
}

// notify tells systemd, if it started us; what it does without is its own affair.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }
