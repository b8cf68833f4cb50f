package main

import (
	"io"
	"strings"
	"testing"
)

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
