package listen

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// wantEnd checks that the connection is closed after d, on the bubble's clock.
func (w *webServer) wantEnd(d time.Duration) {
	w.t.Helper()
	start := time.Now()
	_, _ = io.Copy(io.Discard, w)
	if took := time.Since(start); took != d {
		w.t.Errorf("connection ended after %v, want %v", took, d)
	}
}

func TestGuardLimitsTime(t *testing.T) {
	for _, tt := range []struct {
		name string
		talk func(w *webServer)
		want time.Duration
	}{
		{"nothing came", func(w *webServer) {}, IdleTimeout},
		{"a byte came", func(w *webServer) { _, _ = io.WriteString(w, "\x01") }, RequestTimeout},
		{"a request began", func(w *webServer) { w.begin(1) }, RequestTimeout},
		{"a request was answered", func(w *webServer) { w.request(1); w.receive(typeEndRequest) }, IdleTimeout},
		{"a request was aborted", func(w *webServer) {
			w.begin(1)
			w.send(typeAbortRequest, 1, "")
			w.receive(typeEndRequest)
		}, IdleTimeout},
		{"slow bytes of a header", func(w *webServer) {
			for _, b := range []byte{1, typeBeginRequest, 0} {
				_, _ = w.Write([]byte{b})
				<-time.After(3 * time.Second)
			}
		}, time.Second},
		{"slow bytes of a record that is ignored", func(w *webServer) {
			_, _ = io.WriteString(w, rec(typeParams, 7, "ignored")[:headerLength])
			for range 3 {
				<-time.After(3 * time.Second)
				_, _ = io.WriteString(w, "x")
			}
		}, time.Second},
		{"slow bytes", func(w *webServer) {
			w.begin(1)
			for range 3 {
				<-time.After(3 * time.Second)
				w.send(typeParams, 1, "x")
			}
		}, time.Second},
		{"a second request began", func(w *webServer) {
			w.request(1)
			w.receive(typeEndRequest)
			<-time.After(time.Minute)
			w.begin(1)
		}, RequestTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, connect := serveFastCGI(t, answer)
				defer l.Close()
				w := connect()
				tt.talk(w)
				w.wantEnd(tt.want)
			})
		})
	}
}

// A connection may be idle up to the limit, at net/http/fcgi or not.
func TestGuardKeepsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, answer)
		defer l.Close()
		w := connect()
		for _, pause := range []time.Duration{0, spareTime / 2, spareTime, 2 * spareTime, IdleTimeout - time.Second, 0} {
			<-time.After(pause)
			w.request(1)
			w.receive(typeEndRequest)
		}
		if n := len(l.slots); n != 1 {
			t.Errorf("%d slots taken by a busy connection", n)
		}
		<-time.After(2 * spareTime)
		synctest.Wait()
		if n := len(l.slots); n != 0 {
			t.Errorf("%d slots taken by an idle connection", n)
		}
	})
}

// An answer may take longer than RequestTimeout and IdleTimeout.
func TestGuardWaitsForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) {
			<-time.After(2 * IdleTimeout)
			answer(w, r)
		})
		defer l.Close()
		w := connect()
		w.request(1)
		w.begin(2)
		w.receive(typeEndRequest) // refused at once
		w.send(typeAbortRequest, 1, "")
		if got := w.receive(typeEndRequest); !strings.HasSuffix(got, "answered") {
			t.Errorf("answer %q", got)
		}
	})
}

// The connection that has waited the longest is evicted.
func TestGuardLimitsConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		l, _ := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) { <-free; answer(w, r) })
		defer l.Close()
		inner := l.Listener.(*pipeListener)
		from := func(i int) *webServer { return &webServer{t, inner.dial(fmt.Sprintf("192.0.2.%d:1", i))} }
		var all []*webServer
		for i := range MaxConns {
			all = append(all, from(i%3))
			if i == 0 {
				all[0].request(1) // so it must not be evicted
			}
			<-time.After(time.Millisecond)
		}
		defer func() {
			for _, w := range all {
				w.Close()
			}
		}()
		all = append(all, from(9))
		all[1].wantEOF()
		for range MaxPeerConns + 10 {
			all = append(all, from(9))
		}
		synctest.Wait()
		l.mu.Lock()
		if n, own := l.count.Len(), l.count.From(netip.MustParsePrefix("192.0.2.9/32")); n != MaxConns || own != MaxPeerConns {
			t.Errorf("%d connections, %d of one peer", n, own)
		}
		l.mu.Unlock()
		close(free)
		if got := all[0].receive(typeEndRequest); !strings.HasSuffix(got, "answered") {
			t.Errorf("answer %q", got)
		}
	})
}

// Requests without a slot wait for one, up to QueueTimeout.
func TestGuardLimitsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		l, connect := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) { <-free; answer(w, r) })
		defer l.Close()
		inner := l.Listener.(*pipeListener)
		var all []*webServer
		for i := range MaxRequests {
			all = append(all, &webServer{t, inner.dial(fmt.Sprintf("192.0.2.%d:1", i%2))})
			defer all[i].Close()
			all[i].request(1)
		}
		synctest.Wait()
		refused := connect()
		refused.request(1)
		start := time.Now()
		if got := refused.receive(typeEndRequest); got != "" || time.Since(start) != QueueTimeout {
			t.Errorf("got %q after %v", got, time.Since(start))
		}
		refused.request(1)
		synctest.Wait()
		close(free)
		for _, w := range append(all, refused) { // idle connections release their slots
			if got := w.receive(typeEndRequest); !strings.HasSuffix(got, "answered") {
				t.Errorf("answer %q", got)
			}
		}
	})
}

// There is a free slot for the next request while connections are idle between requests, also while
// others wait for a server that hangs.
func TestGuardKeepsASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hanging = 200
		var asked atomic.Int32
		free := make(chan struct{})
		l, _ := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) <= hanging {
				<-free
			}
			answer(w, r)
		})
		defer l.Close()
		connect := func(i int) *webServer {
			w := &webServer{t, l.Listener.(*pipeListener).dial(fmt.Sprintf("192.0.2.%d:1", i%3))}
			t.Cleanup(func() { w.Close() })
			return w
		}
		for i := range hanging {
			connect(i).request(1)
		}
		synctest.Wait()
		begin := time.Now()
		for i := range MaxConns - hanging {
			w := connect(i)
			w.request(1)
			w.receive(typeEndRequest)
		}
		if waited := time.Since(begin); waited > 0 {
			t.Errorf("requests waited %v", waited)
		}
		close(free)
	})
}

// The first byte of a request does not keep a slot until RequestTimeout.
func TestGuardFreesSlotsOfSlowRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, answer)
		defer l.Close()
		for i := range MaxRequests {
			c := l.Listener.(*pipeListener).dial(fmt.Sprintf("192.0.2.%d:1", 100+i%3))
			defer c.Close()
			go func() { _, _ = io.Copy(io.Discard, c) }()
			go func() { _, _ = io.WriteString(c, wholeRequest(1, variables)+"\x01") }()
		}
		synctest.Wait()
		w, begin := connect(), time.Now()
		w.request(1)
		w.receive(typeEndRequest)
		if waited := time.Since(begin); waited > 2*spareTime {
			t.Errorf("a request waited %v", waited)
		}
	})
}

// A flood of connections evicts its own, not those of web servers.
func TestGuardKeepsAnsweredConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, answer)
		defer l.Close()
		w := connect()
		w.request(1)
		w.receive(typeEndRequest)
		<-time.After(time.Second)
		for i := range 2 * MaxConns {
			c := l.Listener.(*pipeListener).dial(fmt.Sprintf("192.0.2.%d:1", 100+i%3))
			defer c.Close()
		}
		synctest.Wait()
		w.request(1)
		w.receive(typeEndRequest)
	})
}

// A connection that always has another request shares the slots with others.
func TestGuardSharesSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const took = time.Second
		l, _ := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) {
			<-time.After(took)
			answer(w, r)
		})
		defer l.Close()
		connect := func(i int) *webServer {
			w := &webServer{t, l.Listener.(*pipeListener).dial(fmt.Sprintf("192.0.2.%d:1", i%2))}
			t.Cleanup(func() { w.Close() })
			return w
		}
		begin := time.Now()
		var done sync.WaitGroup
		for i := range MaxRequests {
			w := connect(i)
			done.Go(func() {
				for time.Since(begin) < 2*QueueTimeout {
					w.request(1)
					w.read(typeEndRequest)
				}
			})
		}
		synctest.Wait()
		w := connect(0)
		for range 3 {
			begin := time.Now()
			w.request(1)
			if got := w.read(typeEndRequest); !strings.HasSuffix(got, "answered") {
				t.Errorf("answer %q", got)
			}
			if waited := time.Since(begin); waited > 2*took {
				t.Errorf("an answer in %v, it should get a slot after %v", waited, took)
			}
		}
		done.Wait()
	})
}

// Requests over SmallParams have fewer slots, which are released however the request ends.
func TestGuardLimitsLargeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, answer)
		defer l.Close()
		big := variables + pair("HTTP_LONG", strings.Repeat("v", SmallParams))
		begin := func() *webServer {
			w := connect()
			w.begin(1)
			w.send(typeParams, 1, big)
			return w
		}
		ends := []func(w *webServer){
			func(w *webServer) { w.send(typeParams, 1, ""); w.send(typeStdin, 1, ""); w.receive(typeEndRequest) },
			func(w *webServer) { w.send(typeAbortRequest, 1, ""); w.receive(typeEndRequest) },
			func(w *webServer) { w.Close() },
			func(w *webServer) { <-time.After(RequestTimeout) },
		}
		for _, end := range ends {
			var all []*webServer
			for range MaxLarge + 1 {
				all = append(all, begin())
				<-time.After(time.Millisecond)
			}
			all[0].wantEOF() // it has waited the longest
			for _, w := range all[1:] {
				end(w)
			}
			synctest.Wait()
			if n := len(l.large); n != 0 {
				t.Errorf("%d slots are not released", n)
			}
		}
	})
}

// For a peer that never reads, at most one answer is kept.
func TestGuardLimitsSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, answer)
		defer l.Close()
		w := connect()
		w.request(1)
		<-time.After(2 * SendTimeout)
		synctest.Wait()
		w.wantEOF()
		if n := len(l.all()) + len(l.slots); n != 0 {
			t.Errorf("%d connections and slots are left", n)
		}
	})
}

// A handler whose connection has ended keeps its slot until it returns.
func TestGuardCountsAbandonedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		l, connect := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) { <-free; answer(w, r) })
		defer l.Close()
		w := connect()
		w.request(1)
		w.Close()
		synctest.Wait()
		if n := len(l.slots); n != 1 {
			t.Errorf("%d slots", n)
		}
		close(free)
		synctest.Wait()
		if n := len(l.slots) + len(l.all()); n != 0 {
			t.Errorf("%d slots and connections after the handler's end", n)
		}
	})
}
