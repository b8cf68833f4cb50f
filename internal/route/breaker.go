package route

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Limits of a breaker.
const (
	MaxFails     = 3                // failures in a row, before a server is set aside
	MinBackoff   = time.Second      // until the first trial; it doubles with every failed one
	MaxBackoff   = 60 * time.Second // and stops here
	TrialTimeout = 60 * time.Second // for a trial to report; no login takes longer
)

// State is what a breaker lets pass.
type State int

// The states of a breaker, in the words of circuits: current flows when it is closed.
const (
	Closed   State = iota // everybody asks the server
	Open                  // nobody does: it is set aside
	HalfOpen              // one trial is under way
)

func (s State) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// Change is the change of a breaker's state.
type Change struct {
	Server   string // its name
	Protocol string // that it is asked by
	From, To State
	Err      error         // to Open: the last failure
	Retry    time.Duration // to Open: until the next trial
}

// Breaker keeps logins away from a server that does not answer. A nil Breaker lets
// everything pass.
type Breaker struct {
	server, protocol string
	report           func(Change)

	mu      sync.Mutex
	state   State
	round   uint64        // grows with the state; a ticket of another round comes too late
	fails   int           // in a row, while closed
	backoff time.Duration // the last one; 0 after an answer
	until   time.Time     // while not closed, nobody passes before
}

// Ticket lets its holder ask the server once. The holder calls Answered or Failed,
// or neither when it found out nothing, and Drop after that.
type Ticket struct {
	breaker *Breaker
	round   uint64
	check   bool // in the background: it does not make logins wait longer for their trial
}

// State is the present one, for metrics.
func (b *Breaker) State() State {
	if b == nil {
		return Closed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// Ready reports whether Allow would give a ticket. It is for those who only send users
// to the server.
func (b *Breaker) Ready() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ready()
}

func (b *Breaker) ready() bool { return b.state == Closed || !time.Now().Before(b.until) }

// Allow gives a ticket, or false while the server is set aside.
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

// Ticket is one for a check in the background, which keeps nobody waiting: it is always
// there, and is no trial.
func (b *Breaker) Ticket() Ticket {
	if b == nil {
		return Ticket{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return Ticket{breaker: b, round: b.round, check: true}
}

// Answered says that the server answered. A wrong password is an answer, and so is a
// temporary failure that may be this user's alone.
func (t Ticket) Answered() { t.tell((*Breaker).answered) }

// Failed says that the server refused the connection, did not answer in time, or
// broke off. It does not when it was the client that went away.
func (t Ticket) Failed(err error) {
	t.tell(func(b *Breaker) {
		if !t.check || b.state == Closed {
			b.failed(err)
		}
	})
}

// Drop gives the ticket back: if it was for a trial that has not reported, the next one
// may begin.
func (t Ticket) Drop() { t.tell((*Breaker).dropped) }

// tell does something to the breaker, if the ticket still counts.
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
	if b.fails++; b.state == Closed && b.fails < MaxFails {
		return
	}
	b.backoff = min(max(2*b.backoff, MinBackoff), MaxBackoff)
	retry := b.backoff - rand.N(b.backoff/2) // machines must not try in step
	b.until = time.Now().Add(retry)
	b.enter(Change{To: Open, Err: err, Retry: retry})
}

func (b *Breaker) dropped() {
	if b.state == HalfOpen {
		b.until = time.Time{}
	}
}

// enter begins a round. It reports under the lock, so that changes are told in order.
func (b *Breaker) enter(c Change) {
	c.Server, c.Protocol, c.From = b.server, b.protocol, b.state
	b.state = c.To
	b.round++
	if c.From != c.To && b.report != nil {
		b.report(c)
	}
}
