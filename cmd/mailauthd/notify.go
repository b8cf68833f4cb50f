package main

import (
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"mailauthd/internal/server"
)

// notify sends a state to systemd if systemd started us. Errors are ignored. The status is for "systemctl status".
func notify(state, status string) {
	if status != "" {
		status, _, _ = strings.Cut(status, "\n") // a line would be another state
		state += "\nSTATUS=" + status
	}
	_, _ = daemon.SdNotify(false, state)
}

// notifyReloading says that a reload has begun, as Type=notify-reload demands.
func notifyReloading() {
	notify(daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec(), "loading the configuration")
}

// notifyLoaded says that a start or a reload is done, and why the configuration was not loaded.
func notifyLoaded(s *server.Server, err error) {
	status := s.Summary()
	if err != nil {
		status = "the old configuration stays in use: " + err.Error()
	}
	notify(daemon.SdNotifyReady, status)
}

// watch tells systemd that the service works, twice in the time of WatchdogSec=.
func watch(s *server.Server, log *slog.Logger) {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil || limit == 0 {
		return
	}
	for range time.Tick(limit / 2) {
		tell(log, func() error { return s.Alive(limit) }, func() { notify(daemon.SdNotifyWatchdog, "") })
	}
}

// tell calls works if alive returns nil. If alive does not return, nothing is told any more.
func tell(log *slog.Logger, alive func() error, works func()) {
	if err := alive(); err != nil {
		log.Error("not telling the watchdog that mailauthd works", "error", err)
		return
	}
	works()
}
