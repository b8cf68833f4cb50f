package listen

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func answer(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "answered") }

const grace = 10 * time.Second

// beginShutdown runs Shutdown in the background, and returns when all goroutines are blocked.
func beginShutdown(l *FastCGI) <-chan error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		done <- l.Shutdown(ctx)
	}()
	synctest.Wait()
	return done
}

func wantRunning(t *testing.T, shutdown <-chan error) {
	t.Helper()
	select {
	case err := <-shutdown:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
}

func TestShutdownEndsIdleConnections(t *testing.T) {
	for _, tt := range []struct {
		name string
		talk func(w *webServer)
	}{
		{"a request was answered", func(w *webServer) {
			w.request(1)
			w.receive(typeEndRequest)
		}},
		{"two requests were answered", func(w *webServer) {
			for range 2 {
				w.request(1)
				w.receive(typeEndRequest)
			}
		}},
		{"an unknown role was refused", func(w *webServer) {
			w.send(typeBeginRequest, 1, "\x00\x07\x01\x00\x00\x00\x00\x00")
			w.receive(typeEndRequest)
		}},
		{"a request was aborted", func(w *webServer) {
			w.begin(1)
			w.send(typeAbortRequest, 1, "")
			w.receive(typeEndRequest)
		}},
		{"management record was answered", func(w *webServer) {
			w.send(typeGetValues, 0, "")
			w.receive(typeGetValuesResult)
		}},
		{"a request with a body was answered", func(w *webServer) {
			w.begin(1)
			w.send(typeParams, 1, variables)
			w.send(typeParams, 1, "")
			w.send(typeStdin, 1, "body")
			w.send(typeStdin, 1, "")
			w.receive(typeEndRequest)
		}},
		{"an abort came too late", func(w *webServer) {
			w.request(1)
			w.receive(typeEndRequest)
			w.send(typeAbortRequest, 1, "")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, connect := serveFastCGI(t, answer)
				w := connect()
				tt.talk(w)
				synctest.Wait()
				start := time.Now()
				if err := <-beginShutdown(l); err != nil {
					t.Errorf("Shutdown = %v", err)
				}
				if d := time.Since(start); d != lastChance {
					t.Errorf("Shutdown took %v", d)
				}
				w.wantEOF()
				if connect() != nil {
					t.Error("a new connection is accepted")
				}
			})
		})
	}
}

func TestShutdownLetsRequestsFinish(t *testing.T) {
	for _, tt := range []struct {
		name   string
		before func(w *webServer)
		after  func(w *webServer) // Shutdown has begun
	}{
		{"not begun", func(w *webServer) {}, func(w *webServer) { <-time.After(4 * time.Second); w.request(1) }},
		{"begun", func(w *webServer) { w.begin(1) }, func(w *webServer) { w.rest(1) }},
		{"in the middle of a record",
			func(w *webServer) { _, _ = io.WriteString(w, "\x01\x01\x00\x01") },
			func(w *webServer) {
				_, _ = io.WriteString(w, "\x00\x08\x00\x00"+keepConn)
				w.rest(1)
			}},
		{"second one begun",
			func(w *webServer) { w.request(1); w.receive(typeEndRequest); w.begin(2) },
			func(w *webServer) { w.rest(2) }},
		{"begun while another was refused",
			func(w *webServer) { w.begin(2); w.begin(1); w.receive(typeEndRequest) },
			func(w *webServer) { w.rest(2) }},
		{"begun after a management record",
			func(w *webServer) { w.begin(1); w.send(typeGetValues, 0, ""); w.receive(typeGetValuesResult) },
			func(w *webServer) { w.rest(1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, connect := serveFastCGI(t, answer)
				w := connect()
				tt.before(w)
				synctest.Wait()
				shutdown := beginShutdown(l)
				wantRunning(t, shutdown)
				tt.after(w)
				if got := w.receive(typeEndRequest); !strings.HasSuffix(got, "\r\n\r\nanswered") {
					t.Errorf("answer %q", got)
				}
				w.wantLastAnswer()
				if err := <-shutdown; err != nil {
					t.Errorf("Shutdown = %v", err)
				}
			})
		})
	}
}

// A client that has connected and sends nothing does not delay Shutdown for long.
func TestShutdownWaitsForFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, answer)
		w := connect()
		start := time.Now()
		if err := <-beginShutdown(l); err != nil || time.Since(start) != firstRequest {
			t.Errorf("Shutdown = %v after %v", err, time.Since(start))
		}
		w.wantEOF()
	})
}

// Shutdown closes idle connections, and waits for handlers.
func TestShutdownWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) {
			<-time.After(3 * time.Second)
			answer(w, r)
		})
		idle, busy := connect(), connect()
		idle.request(1)
		idle.receive(typeEndRequest)
		busy.request(1)
		start := time.Now()
		shutdown := beginShutdown(l)
		<-time.After(lastChance)
		idle.wantEOF()
		wantRunning(t, shutdown)
		busy.receive(typeEndRequest)
		busy.wantEOF()
		if err := <-shutdown; err != nil || time.Since(start) != 3*time.Second {
			t.Errorf("Shutdown = %v after %v", err, time.Since(start))
		}
		if err := l.Shutdown(context.Background()); err != nil {
			t.Errorf("second Shutdown = %v", err)
		}
	})
}

func TestShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		l, connect := serveFastCGI(t, func(http.ResponseWriter, *http.Request) { <-release })
		silent, stuck := connect(), connect()
		silent.begin(1)
		stuck.request(1)
		start := time.Now()
		if err := <-beginShutdown(l); err != context.DeadlineExceeded {
			t.Errorf("Shutdown = %v", err)
		}
		if d := time.Since(start); d != grace {
			t.Errorf("Shutdown took %v, want %v", d, grace)
		}
		silent.wantEOF()
		stuck.wantEOF()
	})
}
