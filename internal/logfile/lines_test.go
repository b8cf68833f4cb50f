package logfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEachLine(t *testing.T) {
	const limit = 8
	long := strings.Repeat("x", 3*minBuffer)
	for _, tt := range []struct{ log, want string }{
		{"", ""},
		{"one\ntwo\n", "one 0, two 0"},
		{"one\r\n\n\ntwo", "one 0, two 2"},
		{"1234567\n12345678\n", "1234567 0,  1"},
		{"one\n" + long + "\ntwo\n", "one 0,  1, two 0"},
		{"one\n" + long, "one 0,  1"},
		{"one\nstop\ntwo\n", "one 0, stop 0"},
	} {
		for name, log := range map[string]string{"plain": tt.log, "gzip": zipped(t, tt.log)} {
			var got []string
			err := EachLine(strings.NewReader(log), limit, func(b []byte, problem Problem) bool {
				got = append(got, fmt.Sprintf("%s %d", b, problem))
				return string(b) != "stop"
			})
			if text := strings.Join(got, ", "); err != nil || text != tt.want {
				t.Errorf("%s %.20q: %q, %v; want %q", name, tt.log, text, err, tt.want)
			}
		}
	}
}

// Of a compressed log that is not whole, what is there is read. gzip may still be writing it.
func TestEachLineOfAPart(t *testing.T) {
	whole := zipped(t, strings.Repeat("one\n", 1000))
	for cut := range len(whole) - 2 {
		part, lines := whole[:2+cut], 0
		err := EachLine(strings.NewReader(part), 100, func(b []byte, problem Problem) bool { lines++; return true })
		if !errors.Is(err, ErrCut) || lines > 1001 {
			t.Errorf("%d of %d bytes: %d lines, %v", len(part), len(whole), lines, err)
		}
	}
}

// FuzzEachLine checks that no file makes the reader panic, or give a longer line than it may.
func FuzzEachLine(f *testing.F) {
	f.Add("one\ntwo")
	f.Add(zipped(f, "one\ntwo\n"))
	f.Add(zipped(f, strings.Repeat("one\n", 1000))[:30])
	f.Add("\x1f\x8b\x08\x00")
	f.Fuzz(func(t *testing.T, log string) {
		_ = EachLine(strings.NewReader(log), 100, func(b []byte, problem Problem) bool {
			if problem == None && len(b) > 100 || (len(b) == 0) != (problem == TooLong) || bytes.IndexByte(b, '\n') >= 0 {
				t.Errorf("line %q with problem %d", b, problem)
			}
			return true
		})
	})
}
