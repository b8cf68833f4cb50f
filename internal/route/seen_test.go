package route

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A breaker remembers since when a server is up or set aside, and its last failure also while it is up.
func TestSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker("box1", "imap", nil)
		start := time.Now()
		fail := func() {
			if ticket, ok := b.Allow(); ok {
				ticket.Failed(errors.New("refused"))
			}
		}
		want := func(state State, since, failed time.Time) {
			t.Helper()
			s := b.Seen()
			if s.State != state || !s.Since.Equal(since) || !s.ErrAt.Equal(failed) || (s.Err == nil) != failed.IsZero() || (s.Retry > 0) != (state == Open) {
				t.Errorf("%+v, want %v since %v, failed %v", s, state, since, failed)
			}
		}
		want(Closed, start, time.Time{})
		time.Sleep(time.Minute)
		fail()
		want(Closed, start, time.Now())
		time.Sleep(time.Minute)
		fail()
		fail()
		aside := time.Now()
		want(Open, aside, aside)
		time.Sleep(MaxBackoff)
		fail() // the trial
		want(Open, aside, time.Now())
		failed := time.Now()
		time.Sleep(MaxBackoff)
		ticket, _ := b.Allow()
		ticket.Answered()
		want(Closed, time.Now(), failed)
	})
}

// The response time is a moving average, which begins with the first answer.
func TestResponseTime(t *testing.T) {
	b := NewBreaker("box1", "imap", nil)
	b.Took(time.Second)
	if got := b.Seen().ResponseTime; got != time.Second {
		t.Errorf("after one answer: %v", got)
	}
	b.Took(9 * time.Second)
	if got := b.Seen().ResponseTime; got != 2*time.Second {
		t.Errorf("after two answers: %v", got)
	}
	var none *Breaker
	none.Took(time.Second)
	none.SawCertificate(time.Now())
	if got := none.Seen(); got != (Seen{}) {
		t.Errorf("without a breaker: %+v", got)
	}
}
