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

// testBreaker is a breaker that records its changes.
type testBreaker struct {
	*Breaker
	t       *testing.T
	changes []Change
}

func newTestBreaker(t *testing.T) *testBreaker {
	b := &testBreaker{t: t}
	b.Breaker = &Breaker{server: "box1", report: func(c Change) { b.changes = append(b.changes, c) }}
	return b
}

// mustAllow returns a ticket.
func (b *testBreaker) mustAllow() Ticket {
	b.t.Helper()
	if !b.Ready() {
		b.t.Error("Ready() = false, want true")
	}
	ticket, ok := b.Allow()
	if !ok {
		b.t.Fatal("Allow returned no ticket")
	}
	return ticket
}

// mustRefuse checks that there is no ticket.
func (b *testBreaker) mustRefuse() {
	b.t.Helper()
	if b.Ready() {
		b.t.Error("Ready() = true, want false")
	}
	if _, ok := b.Allow(); ok {
		b.t.Fatal("Allow returned a ticket while the server is set aside")
	}
}

// open sets the server aside.
func (b *testBreaker) open() {
	b.t.Helper()
	for range MaxFails {
		b.mustAllow().Failed(errRefused)
	}
	b.want(Open)
}

// retry waits for the end of the back-off.
func (b *testBreaker) retry() { <-time.After(b.changes[len(b.changes)-1].Retry) }

func (b *testBreaker) want(s State) {
	b.t.Helper()
	if got := b.State(); got != s {
		b.t.Fatalf("state %v, want %v", got, s)
	}
}

// reported returns the states that were reported.
func (b *testBreaker) reported() string {
	var list []string
	for _, c := range b.changes {
		list = append(list, c.To.String())
	}
	return strings.Join(list, " ")
}

// Each letter is one event: an answer (a), a failure (f), a dropped ticket (d), the start of a
// trial (t), the end of the back-off (w), and the end of TrialTimeout (T).
func TestBreaker(t *testing.T) {
	for _, tt := range []struct {
		events, reported string
		end              State
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
				b := newTestBreaker(t)
				for _, event := range tt.events {
					switch event {
					case 'a':
						b.mustAllow().Answered()
					case 'f':
						b.mustAllow().Failed(errRefused)
					case 'd':
						b.mustAllow().Drop()
					case 't':
						b.mustAllow()
						b.mustRefuse() // only one at a time
					case 'w':
						b.mustRefuse()
						b.retry()
					case 'T':
						<-time.After(TrialTimeout)
					}
				}
				if got := b.reported(); got != tt.reported {
					t.Errorf("reported %q, want %q", got, tt.reported)
				}
				b.want(tt.end)
			})
		})
	}
}

func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestBreaker(t)
		b.open()
		retry := b.changes[0].Retry
		b.retry()
		b.mustAllow().Answered()
		want := []Change{
			{Server: "box1", From: Closed, To: Open, Err: errRefused, Retry: retry},
			{Server: "box1", From: Open, To: HalfOpen},
			{Server: "box1", From: HalfOpen, To: Closed},
		}
		if !slices.Equal(b.changes, want) {
			t.Errorf("reported %+v, want %+v", b.changes, want)
		}
	})
}

// An outage lasts from the first refusal on, whatever trials fail meanwhile.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestBreaker(t)
		if o, down := b.Outage(); down {
			t.Errorf("before any failure: %+v", o)
		}
		b.open()
		began := time.Now()
		b.retry()
		last := errors.New("the trial failed")
		b.mustAllow().Failed(last)
		want := Outage{Lasted: time.Since(began), Err: last, Retry: b.changes[len(b.changes)-1].Retry}
		if o, down := b.Outage(); !down || o != want {
			t.Errorf("%+v, %v; want %+v", o, down, want)
		}
		b.retry()
		b.mustAllow().Answered()
		if o, down := b.Outage(); down {
			t.Errorf("after an answer: %+v", o)
		}
	})
}

// The back-off doubles up to its limit, less a random part. An answer resets it.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestBreaker(t)
		step := func(longest time.Duration) {
			t.Helper()
			c := b.changes[len(b.changes)-1]
			if c.Retry <= longest/2 || c.Retry > longest {
				t.Errorf("back-off %v, want between %v and %v", c.Retry, longest/2, longest)
			}
			<-time.After(c.Retry - 1)
			b.mustRefuse()
			<-time.After(1)
		}
		for range 2 {
			b.open()
			for _, s := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
				step(s * time.Second)
				b.mustAllow().Failed(errRefused)
			}
			b.retry()
			b.mustAllow().Answered()
		}
	})
}

func TestBackoffHasJitter(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 20 {
		b := newTestBreaker(t)
		b.open()
		seen[b.changes[0].Retry] = true
	}
	if len(seen) < 10 {
		t.Errorf("%d back-offs in 20 differ", len(seen))
	}
}

// A ticket from before a change of the state says nothing about the server as it is now.
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
				b := newTestBreaker(t)
				late := b.mustAllow()
				b.open()
				tt.report(late)
				b.mustRefuse()
				b.retry()
				trial := b.mustAllow()
				tt.report(late)
				b.mustRefuse()
				<-time.After(TrialTimeout)
				second := b.mustAllow()
				tt.report(trial) // after its TrialTimeout
				b.mustRefuse()
				second.Answered()
				for range MaxFails {
					tt.report(late)
					tt.report(trial)
					tt.report(second)
				}
				b.want(Closed)
				b.mustAllow().Failed(errRefused)
				b.mustAllow().Failed(errRefused)
				b.want(Closed)
				if got := b.reported(); got != "open half-open closed" {
					t.Errorf("reported %q", got)
				}
			})
		})
	}
}

// Of many logins at the end of the back-off one is the trial.
func TestOneTrialOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestBreaker(t)
		b.open()
		b.retry()
		for round := range 3 {
			var wg sync.WaitGroup
			var passed atomic.Int32
			for range 100 {
				wg.Go(func() {
					if ticket, ok := b.Allow(); ok {
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
		if got := b.reported(); got != "open half-open" {
			t.Errorf("reported %q", got)
		}
	})
}

// Many failures at the same time set a server aside once.
func TestManyFailuresAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestBreaker(t)
		var tickets []Ticket
		for range 100 {
			tickets = append(tickets, b.mustAllow())
		}
		var wg sync.WaitGroup
		for _, ticket := range tickets {
			wg.Go(func() { ticket.Failed(errRefused) })
		}
		wg.Wait()
		if c := b.changes; len(c) != 1 || c[0].To != Open || c[0].Retry > MinBackoff {
			t.Errorf("reported %+v", c)
		}
	})
}

func TestNilBreaker(t *testing.T) {
	var b *Breaker
	for range 2 * MaxFails {
		ticket, ok := b.Allow()
		if !ok || !b.Ready() || b.State() != Closed {
			t.Fatal("a nil breaker does not allow a login")
		}
		ticket.Failed(errRefused)
		ticket.Answered()
		ticket.Drop()
	}
}

func TestStatesHaveNames(t *testing.T) {
	if got := fmt.Sprint(Closed, Open, HalfOpen); got != "closed open half-open" {
		t.Errorf("states print as %q", got)
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
