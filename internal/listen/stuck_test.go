package listen

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipeListener()
		l := newRetryListener(inner, slog.New(slog.DiscardHandler))
		again := make(chan bool)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
				<-again
			}
		}()
		want := func(after time.Duration, stuck bool) {
			t.Helper()
			<-time.After(after)
			if l.Stuck(time.Minute) != stuck {
				t.Errorf("Stuck = %v", !stuck)
			}
		}
		want(time.Hour, false) // it waits for a connection
		inner.dial("192.0.2.7:1234").Close()
		want(time.Minute, false)
		want(time.Second, true)
		again <- true
		want(time.Second, false)
		l.Close()
	})
}
