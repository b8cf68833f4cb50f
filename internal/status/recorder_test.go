package status

import (
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"

	"mailauthd/internal/authlog"
)

func at(r *Recorder, t time.Time, outcome string, reason authlog.Reason, took time.Duration) {
	r.Record(&authlog.Event{Start: t.Add(-took), End: t, Outcome: outcome, Reason: reason, User: "u"})
}

// A login counts in the periods that it belongs to, by outcome and reason.
func TestPeriods(t *testing.T) {
	r := new(Recorder)
	at(r, noon.Add(-25*time.Hour), "ok", "", time.Millisecond)
	at(r, noon.Add(-23*time.Hour), "reject", authlog.UserUnknown, time.Millisecond)
	at(r, noon.Add(-30*time.Minute), "reject", authlog.PasswordMismatch, time.Second)
	at(r, noon.Add(-10*time.Second), authlog.TempFail, authlog.InternalFailure, 2*time.Second)
	at(r, noon, "ok", "", 4*time.Second)
	at(r, noon.Add(time.Hour), "ok", "", time.Second) // after the clock was set back
	for i, want := range []string{
		"minute 2: 1 0 1 map[internal_failure:1] max 4",
		"hour 3: 1 1 1 map[internal_failure:1 password_mismatch:1] max 4",
		"day 4: 1 2 1 map[internal_failure:1 password_mismatch:1 user_unknown:1] max 4",
	} {
		p := r.Periods(noon)[i]
		if got := fmt.Sprintf("%s %d: %d %d %d %v max %v", p.Name, p.Total, p.OK, p.Reject, p.TempFail, p.Reasons, p.Max); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// The picture has each minute once, also those without a login.
func TestPlot(t *testing.T) {
	r := new(Recorder)
	at(r, noon.Add(-Minutes*time.Minute), "ok", "", time.Second) // has the place of the present minute
	at(r, noon, "ok", "", time.Second)
	at(r, noon.Add(-2*time.Minute), "reject", authlog.Policy, time.Second)
	m := r.Plot(noon, 4)
	if len(m) != 4 || m[3].OK != 1 || m[1].Reject != 1 || m[0] != (Minute{Time: m[3].Time - 180}) || m[3].Time != noon.Unix()-30 {
		t.Errorf("minutes %+v", m)
	}
}

// A quantile is never farther from the true one than a step of the histogram is wide.
func TestQuantile(t *testing.T) {
	for _, spread := range []float64{1, 10, 1000} {
		var c counts
		for i := range 1000 {
			d := time.Duration(float64(time.Millisecond) * (1 + spread*float64(i)/1000))
			c.outcomes[0]++
			c.times[step(d)]++
			c.max = max(c.max, d)
		}
		for _, share := range []float64{0.5, 0.95, 1} {
			want := 0.001 * (1 + spread*share)
			if got := c.quantile(share); got < want/math.Sqrt2 || got > want*math.Sqrt2 {
				t.Errorf("spread %v: the quantile %v is %v, want %v", spread, share, got, want)
			}
		}
	}
	var c counts
	if got := c.quantile(0.5); got != 0 {
		t.Errorf("without logins: %v", got)
	}
	c.outcomes[0], c.times[step(time.Hour)], c.max = 1, 1, time.Hour
	if got := c.quantile(0.5); got != 3600 {
		t.Errorf("beyond the last step: %v", got)
	}
}

// The memory of a recorder is that of the package comment, whatever clients send.
func TestMemoryIsBounded(t *testing.T) {
	r := new(Recorder)
	if size := unsafe.Sizeof(*r); size > 450<<10 {
		t.Errorf("a recorder has %d bytes", size)
	}
	long := strings.Repeat("x", 1<<20)
	for range 3 * MaxRecent {
		r.Record(&authlog.Event{End: noon, Outcome: "reject", User: long, ClientIP: long, Protocol: long, Method: long, Error: long})
	}
	texts := 0
	for _, f := range r.Recent() {
		texts += len(f.User) + len(f.Client) + len(f.Protocol) + len(f.Method) + len(f.Error)
	}
	if n := len(r.Recent()); n != MaxRecent || texts > MaxRecent*(4*MaxName+MaxError+5*len("…")) {
		t.Errorf("%d failures, %d bytes of text", n, texts)
	}
}

func TestRecentIsNewestFirst(t *testing.T) {
	r := new(Recorder)
	for i := range MaxRecent + 5 {
		r.Record(&authlog.Event{End: noon, Outcome: "reject", User: fmt.Sprint(i)})
	}
	if l := r.Recent(); l[0].User != fmt.Sprint(MaxRecent+4) || l[MaxRecent-1].User != "5" {
		t.Errorf("from %s to %s", l[0].User, l[MaxRecent-1].User)
	}
}

// BenchmarkRecord is what the status page costs a login.
func BenchmarkRecord(b *testing.B) {
	for name, e := range map[string]*authlog.Event{"ok": event(1, noon), "reject": event(19, noon)} {
		b.Run(name, func(b *testing.B) {
			r := new(Recorder)
			b.ReportAllocs()
			for b.Loop() {
				r.Record(e)
			}
		})
	}
}

// BenchmarkPage is what the figures and the page cost at 5,000 logins a second.
func BenchmarkPage(b *testing.B) {
	r := busy()
	b.Run("figures", func(b *testing.B) { // meanwhile logins wait
		for b.Loop() {
			r.Periods(noon)
			r.Plot(noon, PlotMinutes)
		}
	})
	s := sample(r)
	b.Run("html", func(b *testing.B) {
		for b.Loop() {
			if err := s.WriteHTML(io.Discard, Query{Format: HTML, Full: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
