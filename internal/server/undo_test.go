package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mailauthd/internal/config"
)

// If the log cannot be opened after the configuration was read, no socket is lost.
func TestLogThatFailsKeepsEverything(t *testing.T) {
	s := start(t)
	added, log := filepath.Join(filepath.Dir(s.path), "added.sock"), s.log
	s.log += ".2"
	s.configure(`fastcgi = ["unix:`, `mode = "0600"`+"\n"+`fastcgi = ["unix:`+added+`", "unix:`)
	c, err := config.Load(s.path)
	if err == nil {
		err = os.Mkdir(s.log, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := s.swap(c); err == nil || !strings.Contains(err.Error(), s.log+": exists and is not a regular file") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(added); err == nil {
		t.Error("the new socket is left behind")
	}
	s.wantMode(0o660)
	s.wantEverywhere(good, "OK")
	s.log = log
	if n := strings.Count(s.readLog(), "Auth-Status:   OK\n"); n != len(s.endpoints) {
		t.Errorf("%d logins in the log", n)
	}
}

// A panic while loading fails only that reload. Its value is not logged.
func TestPanicInReload(t *testing.T) {
	s := startAdmin(t)
	resolver := s.resolver
	s.resolver = nil
	if err := s.Reload(); err == nil || err.Error() != "panic (runtime.errorString) while loading" {
		t.Errorf("error %v", err)
	}
	s.wantEverywhere(good, "OK")
	s.wantMetrics(`mailauthd_reloads_total{result="refused"} 1`)
	s.resolver = resolver
	s.reload(s.edits...)
	s.wantEverywhere(good, "OK")
}
