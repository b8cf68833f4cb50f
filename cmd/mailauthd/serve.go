package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
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
	log := slog.New(slog.NewTextHandler(c.stderr, nil))
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	s, err := server.Start(*path, log)
	if err != nil {
		return err
	}
	notify(daemon.SdNotifyReady)
	for sig := range signals {
		switch sig {
		case syscall.SIGHUP:
			reload(s, log)
		case syscall.SIGUSR1:
			if err := s.Reopen(); err != nil {
				log.Error("log not reopened", "error", err)
			}
		default:
			log.Info("shutting down", "signal", sig.String())
			notify(daemon.SdNotifyStopping)
			if err := s.Shutdown(); err != nil {
				log.Warn("not everything finished within the grace", "error", err)
			}
			return nil
		}
	}
	return nil
}

func reload(s *server.Server, log *slog.Logger) {
	notify(daemon.SdNotifyReloading)
	if err := s.Reload(); err != nil {
		log.Error("configuration not loaded, the old one stays", "error", err)
	}
	notify(daemon.SdNotifyReady)
}

// notify tells systemd, if it started us; what it does without is its own affair.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// check is nginx -t.
func check(c *call) error {
	c.newFlags()
	path := c.configFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	config, _, err := c.load(*path)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "configuration OK: %d servers, %d domains, %d users\n",
		len(config.Servers), config.Domains.Len(), config.Users.Len())
	return nil
}
