package listen

import (
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"testing"
	"testing/synctest"
	"time"
)

const typeStdout = 6 // the package itself does not need it

// webServer is the client's end of one FastCGI connection. The connection has no buffer, so what was
// sent has been read.
type webServer struct {
	t *testing.T
	net.Conn
}

// serveFastCGI runs net/http/fcgi on a guarded listener in memory.
func serveFastCGI(t *testing.T, h http.HandlerFunc) (*FastCGI, func() *webServer) {
	inner := newPipeListener()
	l := NewFastCGI(inner, slog.New(slog.DiscardHandler))
	served := make(chan error)
	go func() { served <- fcgi.Serve(l, h) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-served; err != net.ErrClosed {
			t.Errorf("Serve ended with %v", err)
		}
	})
	return l, func() *webServer {
		c := inner.dial("192.0.2.7:1234")
		if c == nil {
			return nil
		}
		t.Cleanup(func() { c.Close() })
		return &webServer{t, c}
	}
}

func (w *webServer) send(kind byte, id uint16, content string) {
	w.t.Helper()
	b := []byte{1, kind, byte(id >> 8), byte(id), byte(len(content) >> 8), byte(len(content)), 0, 0}
	if _, err := w.Write(append(b, content...)); err != nil {
		w.t.Fatalf("sending a record: %v", err)
	}
}

const keepConn = "\x00\x01\x01\x00\x00\x00\x00\x00" // responder, keep the connection

// variables has the variables that net/http/fcgi needs.
const variables = "\x0e\x03REQUEST_METHODGET" + "\x0f\x08SERVER_PROTOCOLHTTP/1.0"

func (w *webServer) begin(id uint16) { w.send(typeBeginRequest, id, keepConn) }

// rest sends the records after BEGIN_REQUEST.
func (w *webServer) rest(id uint16) {
	w.send(typeParams, id, variables)
	w.send(typeParams, id, "")
	w.send(typeStdin, id, "")
}

func (w *webServer) request(id uint16) {
	w.begin(id)
	w.rest(id)
}

// receive reads records up to one of a type, and returns what the handler wrote before. Then it waits
// until all goroutines are blocked.
func (w *webServer) receive(until byte) (stdout string) {
	w.t.Helper()
	stdout = w.read(until)
	synctest.Wait()
	return stdout
}

// read does the same as receive, but does not wait for other goroutines.
func (w *webServer) read(until byte) (stdout string) {
	w.t.Helper()
	for {
		var h struct {
			Version, Kind  byte
			ID, Length     uint16
			Padding, Spare byte
		}
		if err := binary.Read(w, binary.BigEndian, &h); err != nil {
			w.t.Fatalf("reading a record: %v", err)
		}
		content := make([]byte, int(h.Length)+int(h.Padding))
		if _, err := io.ReadFull(w, content); err != nil {
			w.t.Fatalf("reading a record's content: %v", err)
		}
		switch h.Kind {
		case until:
			return stdout
		case typeStdout:
			stdout += string(content[:h.Length])
		}
	}
}

// wantEOF checks that the server has closed the connection: no time passes on the bubble's clock.
func (w *webServer) wantEOF() {
	w.t.Helper()
	w.wantEOFWithin(0)
}

// wantLastAnswer checks that the server closes the connection after an answer, when a shutdown has begun: at once, or when
// Shutdown looks at the connection again, because the goroutine that reads may not have come back to the socket so far.
func (w *webServer) wantLastAnswer() {
	w.t.Helper()
	w.wantEOFWithin(2 * lastChance)
}

func (w *webServer) wantEOFWithin(limit time.Duration) {
	w.t.Helper()
	begin := time.Now()
	if n, err := w.Read(make([]byte, 1)); err != io.EOF {
		w.t.Errorf("read %d, %v; want the connection to be closed", n, err)
	}
	if took := time.Since(begin); took > limit {
		w.t.Errorf("closed only after %v", took)
	}
}
