package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errRefused = errors.New("connection refused")

// ward is a server's breaker, and what it reported.
type ward struct {
	*Breaker
	t       *testing.T
	changes []Change
}

func newWard(t *testing.T) *ward {
	w := &ward{t: t}
	w.Breaker = &Breaker{server: "box1", report: func(c Change) { w.changes = append(w.changes, c) }}
	return w
}

// pass wants a ticket.
func (w *ward) pass() Ticket {
	w.t.Helper()
	if !w.Ready() {
		w.t.Error("not ready")
	}
	ticket, ok := w.Allow()
	if !ok {
		w.t.Fatal("no ticket")
	}
	return ticket
}

// block wants none.
func (w *ward) block() {
	w.t.Helper()
	if w.Ready() {
		w.t.Error("ready")
	}
	if _, ok := w.Allow(); ok {
		w.t.Fatal("a ticket")
	}
}

// open sets the server aside.
func (w *ward) open() {
	w.t.Helper()
	for range MaxFails {
		w.pass().Failed(errRefused)
	}
	w.want(Open)
}

// retry waits for the end of the back-off.
func (w *ward) retry() { <-time.After(w.changes[len(w.changes)-1].Retry) }

func (w *ward) want(s State) {
	w.t.Helper()
	if got := w.State(); got != s {
		w.t.Fatalf("state %v, want %v", got, s)
	}
}

// story is what was reported.
func (w *ward) story() string {
	var list []string
	for _, c := range w.changes {
		list = append(list, c.To.String())
	}
	return strings.Join(list, " ")
}

// Each letter is one event: a is an answer, f a failure, d a ticket given back, t a trial's
// beginning; w waits for the end of the back-off, T for that of the trial.
func TestBreaker(t *testing.T) {
	for _, tt := range []struct {
		events, story string
		end           State
	}{
		{"", "", Closed},
		{"aaaa", "", Closed},
		{"ff", "", Closed},
		{"ffaff", "", Closed},
		{"ffdf", "open", Open},
		{"ddddd", "", Closed},
		{"fff", "open", Open},
		{"fffw", "open", Open},
		{"fffwt", "open half-open", HalfOpen},
		{"fffwa", "open half-open closed", Closed},
		{"fffwaff", "open half-open closed", Closed},
		{"fffwafff", "open half-open closed open", Open},
		{"fffwf", "open half-open open", Open},
		{"fffwfwfwa", "open half-open open half-open open half-open closed", Closed},
		{"fffwd", "open half-open", HalfOpen},
		{"fffwdda", "open half-open closed", Closed},
		{"fffwdf", "open half-open open", Open},
		{"fffwtTt", "open half-open", HalfOpen},
		{"fffwtTa", "open half-open closed", Closed},
		{"fffwtTf", "open half-open open", Open},
	} {
		t.Run(tt.events, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWard(t)
				for _, event := range tt.events {
					switch event {
					case 'a':
						w.pass().Answered()
					case 'f':
						w.pass().Failed(errRefused)
					case 'd':
						w.pass().Drop()
					case 't':
						w.pass()
						w.block() // only one at a time
					case 'w':
						w.block()
						w.retry()
					case 'T':
						<-time.After(TrialTimeout)
					}
				}
				if got := w.story(); got != tt.story {
					t.Errorf("reported %q, want %q", got, tt.story)
				}
				w.want(tt.end)
			})
		})
	}
}

func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		w.open()
		retry := w.changes[0].Retry
		w.retry()
		w.pass().Answered()
		want := []Change{
			{Server: "box1", From: Closed, To: Open, Err: errRefused, Retry: retry},
			{Server: "box1", From: Open, To: HalfOpen},
			{Server: "box1", From: HalfOpen, To: Closed},
		}
		if !slices.Equal(w.changes, want) {
			t.Errorf("reported %+v, want %+v", w.changes, want)
		}
	})
}

// The back-off doubles up to its limit, less a random part; an answer ends that.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		step := func(longest time.Duration) {
			t.Helper()
			c := w.changes[len(w.changes)-1]
			if c.Retry <= longest/2 || c.Retry > longest {
				t.Errorf("back-off %v, want between %v and %v", c.Retry, longest/2, longest)
			}
			<-time.After(c.Retry - 1)
			w.block()
			<-time.After(1)
		}
		for range 2 {
			w.open()
			for _, s := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
				step(s * time.Second)
				w.pass().Failed(errRefused)
			}
			w.retry()
			w.pass().Answered()
		}
	})
}

func TestBackoffHasJitter(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 20 {
		w := newWard(t)
		w.open()
		seen[w.changes[0].Retry] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d back-offs in 20 differ", len(seen))
	}
}

// What began before the state changed says nothing about the server as it is now.
func TestLateReports(t *testing.T) {
	for _, tt := range []struct {
		name   string
		report func(Ticket)
	}{
		{"answered", Ticket.Answered},
		{"failed", func(t Ticket) { t.Failed(errRefused) }},
		{"dropped", Ticket.Drop},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWard(t)
				late := w.pass()
				w.open()
				tt.report(late)
				w.block()
				w.retry()
				trial := w.pass()
				tt.report(late)
				w.block()
				<-time.After(TrialTimeout)
				second := w.pass()
				tt.report(trial) // which was given up
				w.block()
				second.Answered()
				for range MaxFails {
					tt.report(late)
					tt.report(trial)
					tt.report(second)
				}
				w.want(Closed)
				w.pass().Failed(errRefused)
				w.pass().Failed(errRefused)
				w.want(Closed)
				if got := w.story(); got != "open half-open closed" {
					t.Errorf("reported %q", got)
				}
			})
		})
	}
}

// Of many logins at the moment when the back-off ends, one is the trial.
func TestOneTrialOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		w.open()
		w.retry()
		for round := range 3 {
			var wg sync.WaitGroup
			var passed atomic.Int32
			for range 100 {
				wg.Go(func() {
					if ticket, ok := w.Allow(); ok {
						passed.Add(1)
						<-time.After(time.Second)
						ticket.Drop()
					}
				})
			}
			wg.Wait()
			if n := passed.Load(); n != 1 {
				t.Errorf("round %d: %d trials at a time", round, n)
			}
		}
		if got := w.story(); got != "open half-open" {
			t.Errorf("reported %q", got)
		}
	})
}

// Many failures at a time set a server aside once.
func TestManyFailuresAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t)
		var tickets []Ticket
		for range 100 {
			tickets = append(tickets, w.pass())
		}
		var wg sync.WaitGroup
		for _, ticket := range tickets {
			wg.Go(func() { ticket.Failed(errRefused) })
		}
		wg.Wait()
		if c := w.changes; len(c) != 1 || c[0].To != Open || c[0].Retry > MinBackoff {
			t.Errorf("reported %+v", c)
		}
	})
}

func TestNilBreaker(t *testing.T) {
	var b *Breaker
	for range 2 * MaxFails {
		ticket, ok := b.Allow()
		if !ok || !b.Ready() || b.State() != Closed {
			t.Fatal("a nil breaker is in the way")
		}
		ticket.Failed(errRefused)
		ticket.Answered()
		ticket.Drop()
	}
}

func TestStatesHaveNames(t *testing.T) {
	if got := fmt.Sprint(Closed, Open, HalfOpen); got != "closed open half-open" {
		t.Errorf("states are called %q", got)
	}
}

func BenchmarkBreaker(b *testing.B) {
	breaker := &Breaker{}
	b.ReportAllocs()
	for b.Loop() {
		ticket, _ := breaker.Allow()
		ticket.Answered()
		ticket.Drop()
	}
}
