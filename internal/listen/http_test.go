package listen

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// serveHTTP runs net/http on a bounded listener in memory until shutdown is called, which waits for
// open connections.
func serveHTTP(h http.HandlerFunc) (inner *pipeListener, shutdown func()) {
	inner = newPipeListener()
	l := NewHTTP(inner, slog.New(slog.DiscardHandler))
	server := &http.Server{Handler: h}
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	return inner, func() {
		_ = server.Shutdown(context.Background())
		<-served
	}
}

// A header of many short lines would need many times its length in memory.
func TestHTTPLimitsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, shutdown := serveHTTP(answer)
		defer shutdown()
		get := func(lines int) string {
			return "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("a:\r\n", lines-3) + "\r\n"
		}
		c := inner.dial("192.0.2.1:1")
		defer c.Close()
		answers := bufio.NewReader(c)
		for range 3 { // the limit is per request of a connection
			if _, err := io.WriteString(c, get(MaxLines)); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(answers, nil)
			if err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%v, %v", response, err)
			}
			_, _ = io.Copy(io.Discard, response.Body)
		}
		for _, request := range []string{get(MaxLines + 1), strings.TrimSuffix(get(2*MaxLines), "\r\n")} {
			c := inner.dial("192.0.2.1:2")
			go func() { _, _ = io.WriteString(c, request) }()
			begin := time.Now()
			if got, _ := io.ReadAll(c); strings.Contains(string(got), " 200 ") || time.Since(begin) > 0 {
				t.Errorf("after %v %q", time.Since(begin), got)
			}
		}
		c.Close()
	})
}
