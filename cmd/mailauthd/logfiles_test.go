package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestSinceTime(t *testing.T) {
	zone := time.FixedZone("east", 3*3600)
	now := time.Date(2026, 11, 28, 12, 30, 0, 0, zone)
	for text, want := range map[string]string{
		"2026-01-31": "2026-01-31T00:00:00+03:00", "2026-01-31T15:04": "2026-01-31T15:04:00+03:00",
		"2h": "2026-11-28T10:30:00+03:00", "1h30m": "2026-11-28T11:00:00+03:00", "0s": "2026-11-28T12:30:00+03:00",
		"1d": "2026-11-27T12:30:00+03:00", "30d": "2026-10-29T12:30:00+03:00", "": "0001-01-01T00:00:00Z",
	} {
		if got, err := sinceTime(text, zone, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q is %v (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "2", "-2h", "-1d", "1.5d", "d", "99999999d", "2026-13-01", "31.01.2026"} {
		if got, err := sinceTime(text, zone, now); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestProgress(t *testing.T) {
	var terminal strings.Builder
	p := &progress{w: &terminal, total: 4 * progressStep}
	read := func(n int64) {
		p.in = io.LimitReader(zeros{}, n)
		if _, err := io.Copy(io.Discard, struct{ io.Reader }{p}); err != nil {
			t.Fatal(err)
		}
	}
	read(progressStep)
	read(progressStep - 1)
	read(1)
	read(3 * progressStep) // more than all files had at the beginning
	p.clear()
	if got, want := terminal.String(), "\r 25 %\r 50 %\r 75 %\r100 %\r40 MiB\r\x1b[K"; got != want {
		t.Errorf("showed %q, want %q", got, want)
	}
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
