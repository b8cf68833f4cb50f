package route

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Limits of a breaker.
const (
	MaxFails     = 3                // failures in a row before a server is set aside
	MinBackoff   = time.Second      // before the first trial; a failed trial doubles it
	MaxBackoff   = 60 * time.Second // the longest back-off
	TrialTimeout = 60 * time.Second // for a trial to report; no login takes longer
)

// State is the state of a breaker.
type State int

// The states of a breaker, as of an electric circuit breaker: current flows when it is closed.
const (
	Closed   State = iota // all logins may ask the server
	Open                  // no login may: the server is set aside
	HalfOpen              // one login, the trial, is asking it
)

func (s State) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// Change is the change of a breaker's state.
type Change struct {
	Server   string // its name
	Protocol string // on which it is asked
	From, To State
	Err      error         // the last failure, if To is Open
	Retry    time.Duration // how long until the next trial, if To is Open
}

// Breaker keeps logins away from a server that does not answer. A nil Breaker allows every
// login.
type Breaker struct {
	server, protocol string
	report           func(Change)

	mu      sync.Mutex
	state   State
	round   uint64        // counts changes of the state; a ticket of an earlier round is ignored
	fails   int           // in a row, while closed
	backoff time.Duration // the last one; 0 after an answer
	until   time.Time     // while not closed, no login is allowed before
	since   time.Time     // when the server was set aside, while not closed
	err     error         // the last failure, while not closed
	seen    Seen          // for people
}

// NewBreaker makes a breaker that is not one of a [Health]. It calls report, unless that is nil, with each of its
// changes; report must not call the breaker.
func NewBreaker(server, protocol string, report func(Change)) *Breaker {
	return &Breaker{server: server, protocol: protocol, report: report, seen: Seen{Since: time.Now()}}
}

// Ticket allows its holder to ask the server once. The holder calls Answered or Failed, or
// neither if it learned nothing about the server, and then Drop.
type Ticket struct {
	breaker *Breaker
	round   uint64
	check   bool // for a background probe, whose failure does not delay the next trial
}

// State returns the present state, for metrics.
func (b *Breaker) State() State {
	if b == nil {
		return Closed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// Outage is what is known about a server that is set aside.
type Outage struct {
	Lasted time.Duration // how long it has been set aside
	Err    error         // the last failure
	Retry  time.Duration // how long until a login may try the server
}

// Outage returns what is known about a server that is set aside, or false if it is not.
func (b *Breaker) Outage() (Outage, bool) {
	if b == nil {
		return Outage{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Closed {
		return Outage{}, false
	}
	return Outage{time.Since(b.since), b.err, max(0, time.Until(b.until))}, true
}

// Ready reports whether Allow would return a ticket. It is for logins that are sent to the
// server without asking it.
func (b *Breaker) Ready() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready()
}

func (b *Breaker) ready() bool { return b.state == Closed || !time.Now().Before(b.until) }

// Allow returns a ticket, or false while the server is set aside.
func (b *Breaker) Allow() (Ticket, bool) {
	if b == nil {
		return Ticket{}, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ready() {
		return Ticket{}, false
	}
	if b.state != Closed {
		b.until = time.Now().Add(TrialTimeout)
		b.enter(Change{To: HalfOpen})
	}
	return Ticket{breaker: b, round: b.round}, true
}

// Ticket returns a ticket for a background probe. No login waits for a probe, so it is allowed
// even while the server is set aside, and is not a trial.
func (b *Breaker) Ticket() Ticket {
	if b == nil {
		return Ticket{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return Ticket{breaker: b, round: b.round, check: true}
}

// Answered reports to the breaker that the server answered. A wrong password is an answer. So
// is a temporary failure, because it may concern this user alone.
func (t Ticket) Answered() { t.tell((*Breaker).answered) }

// Failed reports to the breaker that the server refused the connection, did not answer in time,
// or closed the connection. Do not call it if the client went away.
func (t Ticket) Failed(err error) {
	t.tell(func(b *Breaker) {
		if !t.check || b.state == Closed {
			b.failed(err)
		}
	})
}

// Drop returns the ticket. If it was for a trial that has not reported, the next one may begin.
func (t Ticket) Drop() { t.tell((*Breaker).dropped) }

// tell calls do for the breaker, unless its state has changed since the ticket was issued.
func (t Ticket) tell(do func(*Breaker)) {
	b := t.breaker
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.round == t.round {
		do(b)
	}
}

func (b *Breaker) answered() {
	b.fails, b.backoff = 0, 0
	if b.state != Closed {
		b.enter(Change{To: Closed})
	}
}

func (b *Breaker) failed(err error) {
	b.seen.Err, b.seen.ErrAt = err, time.Now()
	if b.fails++; b.state == Closed && b.fails < MaxFails {
		return
	}
	b.backoff = min(max(2*b.backoff, MinBackoff), MaxBackoff)
	retry := b.backoff - rand.N(b.backoff/2) // so that several machines do not retry at the same time
	b.until = time.Now().Add(retry)
	if b.state == Closed {
		b.since = time.Now()
	}
	b.err = err
	b.enter(Change{To: Open, Err: err, Retry: retry})
}

func (b *Breaker) dropped() {
	if b.state == HalfOpen {
		b.until = time.Time{}
	}
}

// enter begins a round. It reports with mu held, so that changes are reported in order.
func (b *Breaker) enter(c Change) {
	c.Server, c.Protocol, c.From = b.server, b.protocol, b.state
	b.state = c.To
	b.round++
	if (c.From == Closed) != (c.To == Closed) {
		b.seen.Since = time.Now()
	}
	if c.From != c.To && b.report != nil {
		b.report(c)
	}
}
