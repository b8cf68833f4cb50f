package main

import (
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
)

func TestWatchdogIsToldOnlyIfAlive(t *testing.T) {
	for _, want := range []error{nil, errors.New("a socket is stuck")} {
		told := false
		tell(slog.New(slog.DiscardHandler), func() error { return want }, func() { told = true })
		if told != (want == nil) {
			t.Errorf("%v: told %v", want, told)
		}
	}
}

// A status is one line, because systemd would take further lines as states.
func TestNotifyStatus(t *testing.T) {
	at := filepath.Join(t.TempDir(), "notify.sock")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", at)
	for _, tt := range []struct{ status, want string }{
		{"", "READY=1"},
		{"1 users", "READY=1\nSTATUS=1 users"},
		{"first\nMAINPID=1", "READY=1\nSTATUS=first"},
	} {
		notify("READY=1", tt.status)
		b := make([]byte, 100)
		if n, err := l.Read(b); string(b[:n]) != tt.want || err != nil {
			t.Errorf("%q: systemd got %q, %v; want %q", tt.status, b[:n], err, tt.want)
		}
	}
}
