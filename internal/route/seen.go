package route

import "time"

// Seen is what was seen of a server on one protocol, for people who look at it.
type Seen struct {
	State State
	Since time.Time     // when the server was set aside or came back, or else when it was configured
	Retry time.Duration // how long until a login may try a server that is set aside
	Err   error         // the last failure, also one that has not set the server aside; nil: none
	ErrAt time.Time

	ResponseTime time.Duration // a moving average of the time until the server has answered; 0: not known
	NotAfter     time.Time     // when its certificate ends; zero: none was seen
}

// Seen returns what was seen.
func (b *Breaker) Seen() Seen {
	if b == nil {
		return Seen{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.seen
	if s.State = b.state; s.State != Closed {
		s.Retry = max(0, time.Until(b.until))
	}
	return s
}

// SawCertificate notes when the server's certificate ends.
func (b *Breaker) SawCertificate(notAfter time.Time) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen.NotAfter = notAfter
}

// Took notes how long the server took to answer. The average has one eighth of it, like the round-trip time of TCP
// (RFC 6298).
func (b *Breaker) Took(d time.Duration) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen.ResponseTime == 0 {
		b.seen.ResponseTime = d
	}
	b.seen.ResponseTime += (d - b.seen.ResponseTime) / 8
}
