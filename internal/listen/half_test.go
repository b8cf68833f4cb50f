package listen

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A peer that closes its half of the connection after a request gets its answer, and then EOF.
func TestHalfClosedConnectionGetsItsAnswer(t *testing.T) {
	t.Parallel()
	socket, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	l := NewFastCGI(socket, slog.New(slog.DiscardHandler))
	decided := make(chan struct{})
	go func() {
		_ = fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			<-decided
			w.Header().Set("Auth-Status", "OK")
		}))
	}()
	c, err := net.Dial("unix", socket.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, wholeRequest(1, variables)); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); l.halfClosed() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the end of the requests was not noticed")
		}
	}
	done := make(chan error)
	go func() { done <- l.Shutdown(t.Context()) }() // waits for this answer, too
	close(decided)
	if answer, err := io.ReadAll(c); err != nil || !strings.Contains(string(answer), "Auth-Status: OK") {
		t.Errorf("%q, %v", answer, err)
	}
	if err := <-done; err != nil || len(l.all()) > 0 || len(l.slots) > 0 {
		t.Errorf("Shutdown = %v, %d connections and %d slots left", err, len(l.all()), len(l.slots))
	}
}

// halfClosed returns the number of connections that are no longer read from and still wait for an
// answer.
func (l *FastCGI) halfClosed() (n int) {
	for _, c := range l.all() {
		c.mu.Lock()
		if c.ended && c.phase == answering {
			n++
		}
		c.mu.Unlock()
	}
	return n
}
