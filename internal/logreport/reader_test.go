package logreport

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/authlog"
)

// logOf returns a log of one entry in each format.
func logOf(t testing.TB, e *authlog.Event) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "auth.log")
	for _, format := range authlog.Formats {
		l, err := authlog.Open(authlog.Config{File: file, Format: format, Timezone: "Europe/Moscow"}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		l.Write(e)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReader(t *testing.T) {
	zone, err := authlog.Zone("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	log := logOf(t, login("bob@x.example", "192.0.2.1", authlog.PasswordMismatch, 0))
	n := 0
	r := NewReader(time.Time{}, zone, func(*authlog.Event) { n++ })
	if at, ok := r.First(strings.NewReader("x\n" + log)); !ok || !at.Equal(noon) {
		t.Errorf("first entry at %v, %v; want %v", at, ok, noon)
	}
	if _, ok := r.First(strings.NewReader(strings.Repeat("x\n", firstLines) + log)); ok {
		t.Errorf("the first time is after %d lines", firstLines)
	}
	for _, tt := range []struct {
		log     string
		entries int
		skipped Skipped
		err     error
	}{
		{log, 3, Skipped{}, nil},
		{"", 0, Skipped{}, nil},
		{log + strings.Repeat("x", authlog.MaxLine+1) + "\nx\n" + log[:20], 3, Skipped{authlog.Skipped{Torn: 1, Foreign: 1}, 1}, nil},
		{"x\n", 0, Skipped{authlog.Skipped{Foreign: 1}, 0}, ErrNoEntry},
	} {
		before, skipped := n, r.Skipped()
		if err := r.Read(strings.NewReader(tt.log)); !errors.Is(err, tt.err) {
			t.Errorf("%.20q: %v, want %v", tt.log, err, tt.err)
		}
		got := r.Skipped()
		got.Torn, got.Foreign, got.Long = got.Torn-skipped.Torn, got.Foreign-skipped.Foreign, got.Long-skipped.Long
		if n-before != tt.entries || got != tt.skipped {
			t.Errorf("%.20q: %d entries, skipped %+v", tt.log, n-before, got)
		}
	}
	if r.Entries() != n {
		t.Errorf("%d entries, want %d", r.Entries(), n)
	}
}

// FuzzReader checks that no log makes a report panic, lose a login, or control a terminal.
func FuzzReader(f *testing.F) {
	f.Add(logOf(f, login("bob@x.example", "192.0.2.1", authlog.PasswordMismatch, 0)))
	f.Add(logOf(f, login("bob\x1b[2J\n", "", authlog.InternalFailure, 0)))
	f.Add(`{"time":"0001-01-01T00:00:00Z","outcome":"\u001b","reason":"\u001b","throttle":"\u001b","duration_us":1}` + "\n")
	f.Fuzz(func(t *testing.T, log string) {
		failed := NewFailed("user", time.UTC, same)
		history := NewHistory("*", 3, func(string) bool { return true })
		r := NewReader(time.Time{}, time.UTC, func(e *authlog.Event) { failed.Add(e); history.Add(e) })
		_ = r.Read(strings.NewReader(log))
		a, b := failed.Report(2, r.Skipped()), history.Report(r.Skipped())
		if a.Logins != r.Entries() || b.OK+b.Rejected+b.TempFail != r.Entries() || a.Failed != b.Rejected+b.TempFail {
			t.Errorf("%d entries: %+v, %+v", r.Entries(), a, b)
		}
		var text strings.Builder
		failed.Plot().Write(&text, "failed", Style{Width: 40})
		a.Text(&text)
		b.Text(&text)
		if strings.ContainsAny(text.String(), "\x1b\x00\r") {
			t.Errorf("the report has control characters: %q", text.String())
		}
	})
}
