package listen

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// brokenListener fails a number of times before it accepts.
type brokenListener struct {
	net.Listener
	failures int
	at       []time.Time // of each call
}

func (l *brokenListener) Accept() (net.Conn, error) {
	l.at = append(l.at, time.Now())
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	c, _ := net.Pipe()
	return c, nil
}

func (l *brokenListener) Close() error   { return nil }
func (l *brokenListener) Addr() net.Addr { return &net.UnixAddr{Name: "/broken", Net: "unix"} }

// pauses returns the times between the calls of Accept since the last call of pauses.
func (l *brokenListener) pauses() []time.Duration {
	var list []time.Duration
	for i := range l.at[1:] {
		list = append(list, l.at[i+1].Sub(l.at[i]))
	}
	l.at = nil
	return list
}

func TestAcceptBacksOffAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := &brokenListener{failures: 10}
		l := newRetryListener(inner, slog.New(slog.DiscardHandler))
		const ms = time.Millisecond
		for _, want := range [][]time.Duration{
			{5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, time.Second, time.Second},
			nil,
			{5 * ms}, // an accept resets the pause
		} {
			inner.failures = len(want)
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := inner.pauses(); !slices.Equal(got, want) {
				t.Errorf("pauses %v, want %v", got, want)
			}
		}
	})
}

func TestCloseEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRetryListener(&brokenListener{failures: 1 << 30}, slog.New(slog.DiscardHandler))
		accepted := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			accepted <- err
		}()
		<-time.After(10 * time.Second)
		closed := time.Now()
		l.Close()
		if err := <-accepted; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept = %v", err)
		}
		if d := time.Since(closed); d > 0 {
			t.Errorf("Accept returned %v after Close", d)
		}
	})
}

// A connection may be accepted at the moment when Shutdown begins. It is answered.
func TestLateConnectionIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		l := NewFastCGI(&lateListener{conn: server, closed: make(chan struct{})}, slog.New(slog.DiscardHandler))
		served := make(chan error)
		shutdown := beginShutdown(l)
		go func() { served <- fcgi.Serve(l, http.HandlerFunc(answer)) }()
		w := &webServer{t, client}
		w.request(1)
		w.receive(typeEndRequest)
		w.wantLastAnswer()
		if err := <-shutdown; err != nil {
			t.Errorf("Shutdown = %v", err)
		}
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve = %v", err)
		}
	})
}

type lateListener struct {
	net.Listener
	conn   net.Conn
	closed chan struct{}
}

func (l *lateListener) Accept() (c net.Conn, err error) {
	if c = l.conn; c == nil {
		<-l.closed
		return nil, net.ErrClosed
	}
	l.conn = nil
	return c, nil
}

func (l *lateListener) Addr() net.Addr { return tcpAddr("192.0.2.1:9000") }

func (l *lateListener) Close() error {
	close(l.closed)
	return nil
}
