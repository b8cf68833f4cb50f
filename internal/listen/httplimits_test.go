package listen

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// httpClient is the client's end of one HTTP connection. It reads everything.
type httpClient struct {
	t *testing.T
	net.Conn
	answers chan string // closed at the end of the connection
}

// httpClients runs a bounded listener with h. The function connect connects to it from an address.
func httpClients(t *testing.T, h http.HandlerFunc) (connect func(address string) *httpClient) {
	inner, shutdown := serveHTTP(h)
	t.Cleanup(shutdown)
	return func(address string) *httpClient {
		c := &httpClient{t, inner.dial(address + ":1"), make(chan string, 8)}
		t.Cleanup(func() { c.Close() })
		go c.receive()
		return c
	}
}

func (c *httpClient) receive() {
	defer close(c.answers)
	for in := bufio.NewReader(c); ; {
		response, err := http.ReadResponse(in, nil)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(response.Body)
		c.answers <- string(body)
	}
}

// send writes the pieces of a request. After each it waits until all goroutines are blocked.
func (c *httpClient) send(pieces ...string) *httpClient {
	c.t.Helper()
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			c.t.Fatalf("sending a request: %v", err)
		}
		synctest.Wait()
	}
	return c
}

// wantAnswer checks that there is an answer without any time passing.
func (c *httpClient) wantAnswer() {
	c.t.Helper()
	synctest.Wait()
	select {
	case got := <-c.answers:
		if got != "answered" {
			c.t.Errorf("answer %q", got)
		}
	default:
		c.t.Error("no answer")
	}
}

// ended reports whether the server has closed the connection.
func (c *httpClient) ended() bool {
	synctest.Wait()
	select {
	case _, more := <-c.answers:
		return !more
	default:
		return false
	}
}

const (
	get     = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	half    = "GET / HTTP/1.1\r\nHost: h\r\n"
	getSlow = "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"
)

// Connections without a complete request do not keep out others of the same address.
func TestHTTPServesBesideSlowConnections(t *testing.T) {
	const slow = 300
	for _, tt := range []struct {
		name    string
		pieces  []string
		answers int
	}{
		{"nothing", nil, 0},
		{"a byte", []string{"G"}, 0},
		{"an unfinished header", []string{half}, 0},
		{"bytes of a header", strings.Split(half, ""), 0},
		{"a line that fills net/http's buffer but for a byte", []string{"GET /" + strings.Repeat("a", 4095-len("GET /"))}, 0},
		{"two lines, and one that fills it", []string{half + "X: " + strings.Repeat("a", 4095-len(half+"X: "))}, 0},
		{"no body", []string{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"}, 0},
		{"half a body", []string{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n", "\n"}, 0},
		{"nothing after an answer", []string{get}, 1},
		{"half a request after an answer", []string{get + half}, 1},
		{"half a request after two answers", []string{get + get + half}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connect := httpClients(t, answer)
				for range slow {
					c := connect("192.0.2.1").send(tt.pieces...)
					for range tt.answers {
						c.wantAnswer()
					}
				}
				for range 3 {
					connect("192.0.2.1").send(get).wantAnswer()
				}
			})
		})
	}
}

// slowHandler answers some requests only after release, which may be called more than once.
func slowHandler() (h http.HandlerFunc, release func()) {
	free := make(chan struct{})
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-free
		}
		answer(w, r)
	}, sync.OnceFunc(func() { close(free) })
}

// A connection whose request is being answered is not evicted, however the request has arrived.
func TestHTTPKeepsConnectionsThatAreBeingAnswered(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pieces  []string
		answers int // before the one that the test waits for
	}{
		{"at once", []string{getSlow}, 0},
		{"byte by byte", strings.Split(getSlow, ""), 0},
		{"the last byte alone", []string{getSlow[:len(getSlow)-1], "\n"}, 0},
		{"with bare line feeds", []string{strings.ReplaceAll(getSlow, "\r", "")}, 0},
		{"with half of the next one", []string{getSlow + half}, 0},
		{"before a byte of the next one", []string{getSlow, get[:1]}, 0},
		{"with the one before", []string{get + getSlow}, 1},
		{"behind the one before", []string{get + getSlow[:9], getSlow[9:]}, 1},
		{"before its body", []string{"POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, release := slowHandler()
				defer release()
				connect := httpClients(t, h)
				c := connect("192.0.2.1").send(tt.pieces...)
				for range tt.answers {
					c.wantAnswer()
				}
				for range 2 * MaxPeerConns {
					connect("192.0.2.1")
				}
				if c.ended() {
					t.Fatal("a connection was ended while its request was being answered")
				}
				release()
				if strings.HasPrefix(tt.pieces[0], "POST") {
					c.send("\n\n")
				}
				c.wantAnswer()
			})
		})
	}
}

// If all connections have a request that is being answered, a new connection is refused.
func TestHTTPRefusesWhereNoneWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, release := slowHandler()
		defer release()
		connect := httpClients(t, h)
		var all []*httpClient
		for range MaxPeerConns {
			all = append(all, connect("192.0.2.1").send(getSlow))
		}
		refused := connect("192.0.2.1")
		synctest.Wait()
		if !refused.ended() {
			t.Error("more connections are open than the bound")
		}
		connect("192.0.2.2").send(get).wantAnswer()
		release()
		for _, c := range all {
			c.wantAnswer()
		}
		connect("192.0.2.1").send(get).wantAnswer()
	})
}

// The connection that has waited the longest since its last answer is evicted.
func TestHTTPEndsTheLongestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := httpClients(t, answer)
		var all []*httpClient
		for range MaxPeerConns {
			all = append(all, connect("192.0.2.1"))
			<-time.After(time.Millisecond)
		}
		other := connect("192.0.2.2")
		for i := range all[1:] { // from the last one
			all[len(all)-1-i].send(get).wantAnswer()
			<-time.After(time.Millisecond)
		}
		order := []*httpClient{all[255], all[254], all[253], all[252]} // all but all[0] got an answer
		for i, next := range order {
			if next.ended() {
				t.Errorf("connection %d was ended too early", i)
			}
			connect("192.0.2.1").send(get).wantAnswer()
			if !next.ended() {
				t.Errorf("connection %d was not ended", i)
			}
		}
		for i, c := range append(all[:252], other) {
			if c.ended() {
				t.Errorf("connection %d was ended too", i)
			}
		}
	})
}

// While most connections got an answer and are held, the others are not ended, whose requests are still to come.
func TestHTTPKeepsConnectionsWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := httpClients(t, answer)
		for range MaxPeerConns {
			connect("192.0.2.1").send(get).wantAnswer()
			<-time.After(time.Millisecond)
		}
		for range 20 {
			honest := connect("192.0.2.1")
			<-time.After(time.Millisecond)
			connect("192.0.2.1").send(get).wantAnswer()
			honest.send(get).wantAnswer()
		}
	})
}

// While most connections never got an answer, one that did is not ended, however much later they came.
func TestHTTPKeepsAnsweredConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := httpClients(t, answer)
		answered := connect("192.0.2.1").send(get)
		answered.wantAnswer()
		for range 2 * MaxPeerConns {
			<-time.After(time.Millisecond)
			connect("192.0.2.1")
		}
		if answered.ended() {
			t.Error("the connection that got an answer was ended")
		}
	})
}

func TestHTTPLimitsConnectionsInAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		connect := httpClients(t, answer)
		var all []*httpClient
		for i := range MaxConns {
			all = append(all, connect(fmt.Sprintf("192.0.2.%d", i%3)))
			<-time.After(time.Millisecond)
		}
		all[0].send(get).wantAnswer()
		for range 3 {
			connect("192.0.2.9").send(get).wantAnswer()
		}
		for i, c := range all[:5] {
			if want := 1 <= i && i <= 3; c.ended() != want {
				t.Errorf("connection %d ended: %v, want %v", i, !want, want)
			}
		}
	})
}

// net/http may close a connection twice.
func TestHTTPCountsConnectionsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := newPipeListener()
		l := NewHTTP(inner, slog.New(slog.DiscardHandler))
		for _, peer := range []string{"192.0.2.1:1", "192.0.2.2:1"} {
			go func() { inner.dial(peer) }()
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if peer == "192.0.2.1:1" {
				c.Close()
				c.Close()
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if n, first := l.count.Len(), l.count.From(netip.MustParsePrefix("192.0.2.1/32")); n != 1 || first != 0 {
			t.Errorf("%d connections, %d of the first peer", n, first)
		}
	})
}
