package authlog

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// decode reads a log with the lines of any formats.
func decode(t testing.TB, log string, since time.Time) (list []Event, d *Decoder) {
	t.Helper()
	d = NewDecoder(since, moscow(t), func(e *Event) { list = append(list, *e) })
	for line := range strings.Lines(log) {
		d.Line([]byte(strings.TrimSuffix(line, "\n")))
	}
	d.End()
	return list, d
}

// readable returns what a format has of an event.
func readable(t testing.TB, e Event, format string) Event {
	t.Helper()
	took := e.End.Sub(e.Start).Truncate(time.Microsecond)
	e.Start = e.Start.In(moscow(t)).Truncate(time.Microsecond)
	if e.End = e.End.In(moscow(t)).Truncate(time.Microsecond); format != "legacy" { // that has both times
		e.End = e.Start.Add(took)
	}
	if e.Backend.IsValid() {
		e.Backend = netip.AddrPortFrom(e.Backend.Addr().Unmap(), e.Backend.Port())
	}
	for _, s := range []*string{&e.Method, &e.User, &e.Salt, &e.Protocol, &e.ClientIP, &e.SSL, &e.Server, &e.Reply, &e.Status, &e.Error, &e.Label} {
		if len(*s) > MaxValue {
			*s = (*s)[:MaxValue] + "..."
		}
	}
	if e.Passdb = ""; format == "legacy" {
		e.Server, e.Error, e.Label, e.Cache = "", "", "", ""
	}
	return e
}

// wantEvents compares events that were read with those that were written.
func wantEvents(t testing.TB, got, written []Event, format string) {
	t.Helper()
	if len(got) != len(written) {
		t.Fatalf("%s: read %d events, want %d", format, len(got), len(written))
	}
	for i, e := range written {
		if want := readable(t, e, format); !reflect.DeepEqual(got[i], want) {
			t.Errorf("%s: read\n%+v, want\n%+v", format, got[i], want)
		}
	}
}

// What was written is read back the same, also if the format changes within a file.
func TestDecodeGolden(t *testing.T) {
	all := ""
	for _, format := range Formats {
		log, err := os.ReadFile(filepath.Join("testdata", format+".golden"))
		if err != nil {
			t.Fatal(err)
		}
		got, d := decode(t, string(log), time.Time{})
		wantEvents(t, got, events(t), format)
		if d.Skipped != (Skipped{}) || d.Entries != len(got) {
			t.Errorf("%s: %d entries, skipped %+v", format, d.Entries, d.Skipped)
		}
		all += string(log)
	}
	got, d := decode(t, all+all, time.Time{})
	if n := 2 * len(Formats) * len(events(t)); len(got) != n || d.Skipped != (Skipped{}) {
		t.Errorf("mixed formats: %d events, want %d; skipped %+v", len(got), n, d.Skipped)
	}
}

func TestDecodeSince(t *testing.T) {
	for _, format := range Formats {
		log := encodeAll(t, format, events(t))
		got, d := decode(t, log, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
		if len(got) != 1 || got[0].Outcome != TempFail || d.Entries != len(events(t)) {
			t.Errorf("%s: %d of %d entries in December", format, len(got), d.Entries)
		}
	}
}

// An entry that is not whole is counted, and costs no other.
func TestDecodeTorn(t *testing.T) {
	for _, format := range Formats {
		one := encodeAll(t, format, []Event{*login("bob@domain1.com")})
		for cut := 1; cut < len(one)-1; cut++ {
			torn := one[:cut] + "\n"
			got, d := decode(t, one+torn+one, time.Time{})
			if len(got) != 2 || d.Skipped.Torn+d.Skipped.Foreign == 0 {
				t.Fatalf("%s: %d events, skipped %+v, after %q", format, len(got), d.Skipped, torn)
			}
		}
	}
}

// Entries of auth.php, whose lines are mixed, do not say how a login ended.
func TestDecodeAuthPHP(t *testing.T) {
	entry := encodeAll(t, "legacy", []Event{*login("bob@domain1.com")})
	script := strings.Join(strings.SplitAfter(entry, "\n")[:6], "")
	got, d := decode(t, script+"\n"+script+entry, time.Time{})
	if len(got) != 1 || d.Skipped.Torn != 2 {
		t.Errorf("%d events, skipped %+v", len(got), d.Skipped)
	}
}

func TestDecodeForeign(t *testing.T) {
	got, d := decode(t, "PHP Warning:  fsockopen()\n{\"a\":1}\na=b\n", time.Time{})
	if len(got) != 0 || d.Entries != 0 || d.Skipped.Foreign != 3 {
		t.Errorf("%d events, skipped %+v", len(got), d.Skipped)
	}
}

func TestLineTime(t *testing.T) {
	d := NewDecoder(time.Time{}, moscow(t), nil)
	for _, format := range Formats {
		e := login("bob@domain1.com")
		line, _, _ := strings.Cut(encodeAll(t, format, []Event{*e}), "\n")
		if at, ok := d.LineTime([]byte(line)); !ok || !at.Equal(e.Start) {
			t.Errorf("%s: %v, %v; want %v", format, at, ok, e.Start)
		}
	}
	for _, line := range []string{"", "x", `{"time":"`, "time=", `{"time":"2026"}`, "20261323 12:09:42'000000: Auth-Method:   plain"} {
		if at, ok := d.LineTime([]byte(line)); ok {
			t.Errorf("%q has the time %v", line, at)
		}
	}
}

// FuzzDecoder checks that no log makes the decoder panic or lose count, and that what it reads can be written and read again.
func FuzzDecoder(f *testing.F) {
	for _, format := range Formats {
		log, err := os.ReadFile(filepath.Join("testdata", format+".golden"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(log))
		f.Add(string(log[:len(log)/3]))
	}
	f.Add("time=2026-11-23T12:09:42+03:00 auth_user=\"\\xff\" duration_us=1\n")
	f.Add(`{"time":"2026-11-23T12:09:42Z","auth_user":"\ud800","duration_us":1}` + "\n")
	f.Fuzz(func(t *testing.T, log string) {
		got, d := decode(t, log, time.Time{})
		if lines := strings.Count(log, "\n") + 1; d.Entries != len(got) || d.Entries+d.Skipped.Torn+d.Skipped.Foreign > 2*lines {
			t.Errorf("%d events, %d entries, skipped %+v of %d lines", len(got), d.Entries, d.Skipped, lines)
		}
		for _, e := range got {
			words := string(e.Reason) + e.Outcome + e.Throttle + e.Cache
			if y := e.Start.Year(); y < 1970 || y > 2200 || e.End.Sub(e.Start).Abs() > 1000*time.Hour || Escape(words) != words {
				continue // such an entry is not written
			}
			again, _ := decode(t, encodeAll(t, "json", []Event{e}), time.Time{})
			wantEvents(t, again, []Event{e}, "json")
		}
	})
}
