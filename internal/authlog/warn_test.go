package authlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// record is one message on standard error, without its time.
type record map[string]any

func records(t *testing.T, stderr *bytes.Buffer) (list []record) {
	t.Helper()
	for d := json.NewDecoder(stderr); ; {
		var r record
		switch err := d.Decode(&r); err {
		case nil:
			delete(r, "time")
			list = append(list, r)
		case io.EOF:
			return list
		default:
			t.Fatal(err)
		}
	}
}

// brokenLog returns a log whose directory is a file, so that not even root can write it.
func brokenLog(t *testing.T, format string) (l *Log, dir string, stderr *bytes.Buffer) {
	t.Helper()
	dir, stderr = filepath.Join(t.TempDir(), "log"), new(bytes.Buffer)
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Config{File: filepath.Join(dir, "auth.log"), Format: format, MaxSize: 1}, slog.New(slog.NewJSONHandler(stderr, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, dir, stderr
}

// TestCannotWrite tests that a warning is logged once a minute, with the number of suppressed
// ones, and that events are written again as soon as that is possible.
func TestCannotWrite(t *testing.T) {
	for _, format := range Formats {
		t.Run(format, func(t *testing.T) {
			l, dir, stderr := brokenLog(t, format)
			var got []string
			for _, after := range []time.Duration{
				0, 0, 10 * time.Second, time.Minute - 1,
				time.Minute, 90 * time.Second,
				2 * time.Minute,
				time.Hour,
			} {
				e := login("bob@domain1.com")
				e.End = noon.Add(after)
				l.Write(e)
				for _, r := range records(t, stderr) {
					if r["level"] != "WARN" || r["msg"] != "auth.log cannot be written, logins go on" ||
						!strings.Contains(fmt.Sprint(r["error"]), "not a directory") {
						t.Errorf("standard error: %v", r)
					}
					got = append(got, fmt.Sprint(after, " ", r["suppressed"]))
				}
			}
			want := []string{"0s <nil>", "1m0s 3", "2m0s 1", "1h0m0s <nil>"}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("warned at %q, want %q", got, want)
			}
			mend(t, dir)
			l.Write(login("alice@domain02.com"))
			if b, err := os.ReadFile(filepath.Join(dir, "auth.log")); err != nil || !strings.Contains(string(b), "alice@domain02.com") {
				t.Errorf("log holds %q (%v)", b, err)
			}
			for range 2 {
				l.Write(login("alice@domain02.com"))
			}
			again := record{"level": "WARN", "msg": "auth.log is written again", "lost": 8.0}
			if list := records(t, stderr); len(list) != 1 || !reflect.DeepEqual(list[0], again) {
				t.Errorf("standard error: %v, want once %v", list, again)
			}
		})
	}
}

func mend(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestCannotWriteOutOfOrder tests that events out of order cause no further warning. Of two
// concurrent requests the later one may be logged first.
func TestCannotWriteOutOfOrder(t *testing.T) {
	l, _, stderr := brokenLog(t, "legacy")
	for _, ms := range []time.Duration{3, 2, 4, 1, 5} {
		e := login("bob@domain1.com")
		e.End = noon.Add(ms * time.Millisecond)
		l.Write(e)
	}
	if list := records(t, stderr); len(list) != 1 {
		t.Errorf("%d warnings within 5 ms, want 1", len(list))
	}
}

// TestCannotWriteClockJumps tests that no warning is suppressed for longer than a minute,
// whether the clock is set forward or back.
func TestCannotWriteClockJumps(t *testing.T) {
	const day = 24 * time.Hour
	l, _, stderr := brokenLog(t, "legacy")
	var got []time.Duration
	for _, at := range []time.Duration{0, day, day + time.Second, 0, time.Second, -day, time.Second - day, time.Minute - day} {
		e := login("bob@domain1.com")
		e.End = noon.Add(at)
		l.Write(e)
		for range records(t, stderr) {
			got = append(got, at)
		}
	}
	if want := []time.Duration{0, day, 0, -day, time.Minute - day}; !slices.Equal(got, want) {
		t.Errorf("warned at %v, want %v", got, want)
	}
}

// TestCannotWriteConcurrent tests that each of many concurrent logins is counted, in a warning
// or in the next one.
func TestCannotWriteConcurrent(t *testing.T) {
	l, _, stderr := brokenLog(t, "json")
	const writers, each = 8, 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				l.Write(failure(0, "ok", "axigen1", "", ""))
			}
		})
	}
	wg.Wait()
	l.Write(failure(time.Minute, "ok", "axigen1", "", ""))
	list := records(t, stderr)
	if len(list) != 2 || list[1]["suppressed"] != float64(writers*each-1) {
		t.Errorf("standard error: %v", list)
	}
	if n := l.Lost(); n != writers*each+1 {
		t.Errorf("%d events lost, want %d", n, writers*each+1)
	}
}

func quietLog(t *testing.T) (*Log, *bytes.Buffer) {
	t.Helper()
	stderr := new(bytes.Buffer)
	c := Config{File: filepath.Join(t.TempDir(), "auth.log"), Format: "legacy", MaxSize: 1}
	l, err := Open(c, slog.New(slog.NewJSONHandler(stderr, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, stderr
}

func failure(after time.Duration, outcome, server string, reason Reason, cause string) *Event {
	e := login("bob@domain1.com")
	e.End, e.Outcome, e.Server, e.Reason, e.Error = noon.Add(after), outcome, server, reason, cause
	return e
}

// TestTemporaryFailureOfPassdbs tests that the warning about one passdb does not hide that about another, whose users have
// the same mail server.
func TestTemporaryFailureOfPassdbs(t *testing.T) {
	l, stderr := quietLog(t)
	for i, passdb := range []string{"vmail", "people", "vmail", ""} {
		e := failure(time.Duration(i)*time.Second, TempFail, "dovecot1", InternalFailure, "closed")
		e.Passdb = passdb
		l.Write(e)
	}
	for passdb, want := range map[string]int{`"passdb":"vmail"`: 1, `"passdb":"people"`: 1, `"server":"dovecot1"`: 3} {
		if n := strings.Count(stderr.String(), passdb); n != want {
			t.Errorf("%s: %d warnings, want %d:\n%s", passdb, n, want, stderr)
		}
	}
}

// TestTemporaryFailure tests that the cause of a temporary failure is logged to standard error,
// once a minute for each server and reason. The legacy format has no field for it.
func TestTemporaryFailure(t *testing.T) {
	l, stderr := quietLog(t)
	for _, e := range []*Event{
		failure(0, TempFail, "axigen1", InternalFailure, "connection refused\nforged=1 \x1b[2J"),
		failure(time.Second, TempFail, "axigen1", InternalFailure, "again"),
		failure(time.Second, TempFail, "dovecot1", InternalFailure, "closed"),
		failure(time.Second, TempFail, "axigen1", SchemeNotAvailable, "no such scheme"),
		failure(time.Second, "reject", "axigen1", PasswordMismatch, "no match"),
		failure(time.Second, "ok", "axigen1", "", ""),
		failure(time.Minute, TempFail, "axigen1", InternalFailure, "still"),
		failure(time.Minute, TempFail, "dovecot1", InternalFailure, "closed"),
	} {
		l.Write(e)
	}
	warned := func(server string, reason Reason, cause string) record {
		return record{"level": "WARN", "msg": "temporary failure", "server": server, "method": "plain", "reason": string(reason), "error": cause}
	}
	want := []record{
		warned("axigen1", InternalFailure, `connection refused\x0aforged=1 \x1b[2J`),
		warned("dovecot1", InternalFailure, "closed"),
		warned("axigen1", SchemeNotAvailable, "no such scheme"),
		warned("axigen1", InternalFailure, "still"),
	}
	want[3]["suppressed"] = 1.0
	if got := records(t, stderr); !reflect.DeepEqual(got, want) {
		t.Errorf("standard error:\n%v, want\n%v", got, want)
	}
}

// TestWarningsBounded tests that the memory for warnings is bounded, whatever clients send.
func TestWarningsBounded(t *testing.T) {
	l, stderr := quietLog(t)
	const n = 3*maxWarnings + 1
	for i := range n {
		l.Write(failure(0, TempFail, fmt.Sprint("server", i), InternalFailure, "closed"))
	}
	if len(l.warnings.last) > maxWarnings {
		t.Errorf("%d warnings remembered, want at most %d", len(l.warnings.last), maxWarnings)
	}
	if got := len(records(t, stderr)); got != n {
		t.Errorf("%d warnings, want %d", got, n)
	}
}
