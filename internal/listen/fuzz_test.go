package listen

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/fcgi"
	"testing"
)

// bytesConn is a connection whose peer sends some bytes and then closes it.
type bytesConn struct {
	net.Conn
	in io.Reader
}

func (c *bytesConn) Read(p []byte) (int, error) { return c.in.Read(p) }
func (c *bytesConn) RemoteAddr() net.Addr       { return tcpAddr("192.0.2.7:1") }

// For any input the guard does not panic, keeps its limits, and passes on only what net/http/fcgi
// does not misread.
func FuzzGuard(f *testing.F) {
	f.Add([]byte(wholeRequest(1, variables)))
	f.Add([]byte(rec(typeBeginRequest, 1, keepConn) + wholeRequest(2, variables) + rec(typeAbortRequest, 1, "")))
	f.Add([]byte(rec(typeGetValues, 0, "\x0f\x00FCGI_MPXS_CONNS") + rec(99, 0, "")))
	f.Add([]byte(wholeRequest(1, variables+pair("HTTP_A", "x")+pair("HTTP_A", "y"))))
	f.Fuzz(func(t *testing.T, in []byte) {
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		l := NewFastCGI(newPipeListener(), slog.New(slog.DiscardHandler))
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for name, values := range r.Header {
					if len(values) > 1 && !hasAliases(in) {
						t.Errorf("header %q has %d values", name, len(values))
					}
				}
			}))
		}()
		c := newFCGIConn(&bytesConn{server, bytes.NewReader(in)}, l)
		l.admit(c)
		c.wait()
		_ = l.Shutdown(t.Context())
		<-done
		client.Close()
		if n := cap(c.request.records); n > 2*MaxParams {
			t.Errorf("%d bytes are buffered", n)
		}
		if len(l.large) != 0 || l.count.Len() != 0 {
			t.Errorf("%d large slots and %d connections are left", len(l.large), l.count.Len())
		}
	})
}

// hasAliases reports whether different names may be the same header. Package authhttp checks that.
func hasAliases(in []byte) bool {
	return bytes.ContainsFunc(in, func(r rune) bool { return r == '-' || r >= 'a' && r <= 'z' })
}

// What checkParams accepts, net/http/fcgi reads in the same way.
func FuzzPairs(f *testing.F) {
	f.Add([]byte(variables))
	f.Add([]byte(pair("HTTP_A", "x") + "\x80\x00\x00\x01\x00N"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if checkParams(in) != nil {
			return
		}
		var out []byte
		for rest := in; len(rest) > 0; {
			name, value, next, err := cutPair(rest)
			if err != nil || len(name) == 0 || len(next) >= len(rest) {
				t.Fatalf("pair %q, %q, %v", name, value, err)
			}
			out = append(append(out, name...), value...)
			rest = next
		}
		if len(out) > len(in) {
			t.Errorf("%d bytes from %d", len(out), len(in))
		}
	})
}
