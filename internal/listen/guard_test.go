package listen

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// rec returns one record.
func rec(kind byte, id uint16, content string, padding ...byte) string {
	b := appendRecord(nil, kind, id, []byte(content)...)
	b[6] = byte(len(padding))
	return string(append(b, padding...))
}

// pair returns a name-value pair with a short name.
func pair(name, value string) string {
	b := binary.BigEndian.AppendUint32([]byte{byte(len(name))}, 1<<31|uint32(len(value)))
	return string(b) + name + value
}

const (
	closeConn = "\x00\x01\x00\x00\x00\x00\x00\x00" // responder, close the connection after the answer
	filter    = "\x00\x03\x01\x00\x00\x00\x00\x00"
)

// wholeRequest returns the records of a request with variables that keeps the connection.
func wholeRequest(id uint16, v string) string {
	return rec(typeBeginRequest, id, keepConn) + rec(typeParams, id, v) + rec(typeParams, id, "") + rec(typeStdin, id, "")
}

// Answers of the guard, in the notation of talk.
const (
	answered = "6 1; 6 1; 6 1; end 1 0"
	closed   = "closed"
)

// talk sends bytes, waits until all goroutines are blocked, and returns the records that came back,
// and whether the connection was closed.
func talk(c net.Conn, in string) string {
	go func() { _, _ = io.WriteString(c, in) }()
	var got []string
	records := make(chan string)
	go func() {
		defer close(records)
		for {
			s, err := readOne(c)
			if err != nil {
				return
			}
			records <- s
		}
	}()
	end := make(chan struct{})
	go func() {
		synctest.Wait()
		close(end)
	}()
	for {
		select {
		case s, ok := <-records:
			if !ok {
				<-end
				return strings.Join(append(got, closed), "; ")
			}
			got = append(got, s)
		case <-end:
			return strings.Join(got, "; ")
		}
	}
}

func readOne(c net.Conn) (string, error) {
	b := make([]byte, headerLength)
	if _, err := io.ReadFull(c, b); err != nil {
		return "", err
	}
	h, err := parseHeader(b)
	if err != nil {
		return "", err
	}
	content := make([]byte, h.length+h.padding)
	if _, err := io.ReadFull(c, content); err != nil {
		return "", err
	}
	content = content[:h.length]
	switch h.kind {
	case typeEndRequest:
		return fmt.Sprintf("end %d %d", h.id, content[4]), nil
	case typeGetValuesResult, typeUnknownType:
		return fmt.Sprintf("%d %d %q", h.kind, h.id, content), nil
	}
	return fmt.Sprintf("%d %d", h.kind, h.id), nil
}

// The records of FastCGI specification 1.0, in both directions.
func TestGuard(t *testing.T) {
	begin, end, empty := rec(typeBeginRequest, 1, keepConn), rec(typeStdin, 1, ""), rec(typeParams, 1, "")
	get := func(names ...string) string {
		query := ""
		for _, n := range names {
			query += string([]byte{byte(len(n)), 0}) + n
		}
		return rec(typeGetValues, 0, query)
	}
	for _, tt := range []struct{ name, in, want string }{
		{"a request", wholeRequest(1, variables), answered},
		{"padding", begin + rec(typeParams, 1, variables, make([]byte, 255)...) + empty + rec(typeStdin, 1, "", 1, 2, 3), answered},
		{"variables in pieces", begin + rec(typeParams, 1, variables[:5]) + rec(typeParams, 1, variables[5:]) + empty + end, answered},
		{"a body", begin + rec(typeParams, 1, variables) + empty + rec(typeStdin, 1, strings.Repeat("b", MaxBody)) + end, answered},
		{"the connection is not kept", rec(typeBeginRequest, 1, closeConn) + rec(typeParams, 1, variables) + empty + end, answered + "; " + closed},
		{"no variables", begin + empty + end, "7 1; 6 1; 6 1; end 1 0"}, // status 500
		{"another role", rec(typeBeginRequest, 7, filter), "end 7 3"},
		{"another role, and its records", rec(typeBeginRequest, 7, filter) + rec(typeParams, 7, "x") + rec(typeStdin, 7, "") + rec(8, 7, "data"), "end 7 3"},
		{"a second id", begin + rec(typeBeginRequest, 2, keepConn), "end 2 1"},
		{"a second id, and its records", begin + wholeRequest(2, variables) + rec(typeParams, 1, variables) + empty + end, "end 2 1; " + answered},
		{"a second id with another role", begin + rec(typeBeginRequest, 2, filter), "end 2 1"},
		{"the same id again", begin + begin, closed},
		{"abort after begin", begin + rec(typeAbortRequest, 1, ""), "end 1 0"},
		{"abort after params", begin + rec(typeParams, 1, variables) + rec(typeAbortRequest, 1, ""), "end 1 0"},
		{"abort before the body", begin + empty + rec(typeAbortRequest, 1, "") + wholeRequest(1, variables), "end 1 0; " + answered},
		{"abort, and do not keep", rec(typeBeginRequest, 1, closeConn) + rec(typeAbortRequest, 1, ""), "end 1 0; " + closed},
		{"abort of another", rec(typeAbortRequest, 9, "") + wholeRequest(1, variables), answered},
		{"values", get("FCGI_MPXS_CONNS", "FCGI_MAX_CONNS", "FCGI_MAX_REQS"),
			`10 0 "\x0f\x01FCGI_MPXS_CONNS0\x0e\x03FCGI_MAX_CONNS512\r\x03FCGI_MAX_REQS256"`},
		{"values that nobody knows", get("FCGI_COLOUR"), `10 0 ""`},
		{"values, broken", rec(typeGetValues, 0, "\x05\x00abc"), closed},
		{"values, too many", rec(typeGetValues, 0, strings.Repeat("a", maxSmall+1)), closed},
		{"values in a request", begin + get("FCGI_MPXS_CONNS") + rec(typeParams, 1, variables) + empty + end, `10 0 "\x0f\x01FCGI_MPXS_CONNS0"; ` + answered},
		{"unknown management record", rec(99, 0, "whatever"), `11 0 "c\x00\x00\x00\x00\x00\x00\x00"`},
		{"unknown record of a request", begin + rec(99, 1, ""), closed},
		{"records of nobody", rec(typeParams, 3, variables) + rec(typeStdin, 4, "") + rec(99, 5, "x"), ""},
		{"a body before the variables", begin + rec(typeStdin, 1, ""), closed},
		{"variables after their end", begin + empty + empty, closed},
		{"begin of 7 bytes", rec(typeBeginRequest, 1, keepConn[:7]), closed},
		{"begin of 300 bytes", rec(typeBeginRequest, 1, strings.Repeat("x", 300)), closed},
		{"version 0", "\x00\x01\x00\x01\x00\x08\x00\x00" + keepConn, closed},
		{"version 2", "\x02\x01\x00\x01\x00\x08\x00\x00" + keepConn, closed},
		{"not FastCGI", "GET /mail/auth.php HTTP/1.0\r\n\r\n", closed},
		{"a body over its limit in two parts", begin + empty + strings.Repeat(rec(typeStdin, 1, strings.Repeat("b", MaxBody/2+1)), 2), closed},
		{"a body over its limit", begin + empty + rec(typeStdin, 1, strings.Repeat("b", MaxBody+1)), closed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, connect := serveFastCGI(t, answer)
				defer l.Close()
				if got := talk(connect(), tt.in); got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		})
	}
}

// Variables that net/http/fcgi would misread end the connection.
func TestGuardReadsVariables(t *testing.T) {
	const ok = variables
	many := func(n int) (s string) {
		for i := range n {
			s += pair(fmt.Sprint("V", i), "")
		}
		return s
	}
	for _, tt := range []struct {
		name, params string
		good         bool
	}{
		{"short and long lengths", ok + pair("HTTP_AUTH_USER", strings.Repeat("u", 1000)), true},
		{"a header twice", ok + pair("HTTP_AUTH_USER", "a") + pair("HTTP_AUTH_USER", "a"), false},
		{"a header twice, without values", ok + pair("HTTP_X", "") + pair("HTTP_X", ""), false},
		{"no header, twice", ok + pair("SCRIPT_FILENAME", "a") + pair("SCRIPT_FILENAME", "b"), true},
		{"no name", ok + pair("", "a"), false},
		{"no name and no value", ok + "\x00\x00", false},
		{"longest name", ok + "\x80\x00\x01\x00\x00" + strings.Repeat("n", MaxName), true},
		{"name over its limit", ok + "\x80\x00\x01\x01\x00" + strings.Repeat("n", MaxName+1), false},
		{"most variables", many(MaxVariables-2) + ok, true},
		{"too many variables", many(MaxVariables) + ok, false},
		{"value longer than all", ok + "\x01\x05Nabc", false},
		{"name longer than all", ok + "\x7f\x00N", false},
		{"lengths of 2 GiB", ok + "\xff\xff\xff\xff\xff\xff\xff\xffN", false},
		{"one byte more", ok + "\x01", false},
		{"a length cut off", ok + "\x01\x80\x00", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, connect := serveFastCGI(t, answer)
				defer l.Close()
				want := closed
				if tt.good {
					want = answered
				}
				if got := talk(connect(), wholeRequest(1, tt.params)); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		})
	}
}

func TestGuardPassesVariablesOn(t *testing.T) {
	for _, n := range []int{1, 100, SmallParams, MaxParams - len(variables) - len(pair("HTTP_LONG", ""))} {
		synctest.Test(t, func(t *testing.T) {
			want := strings.Repeat("v", n)
			l, connect := serveFastCGI(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Long"); got != want {
					t.Errorf("variable of %d bytes, want %d", len(got), n)
				}
				answer(w, r)
			})
			defer l.Close()
			all := variables + pair("HTTP_LONG", want)
			in := rec(typeBeginRequest, 1, keepConn)
			for piece := range slices.Chunk([]byte(all), 30000) {
				in += rec(typeParams, 1, string(piece))
			}
			c := connect()
			in += rec(typeParams, 1, "") + rec(typeStdin, 1, "")
			if got := talk(c, in); got != answered {
				t.Errorf("%d bytes: got %s", n, got)
			}
		})
	}
}

func TestGuardBoundsVariables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, connect := serveFastCGI(t, answer)
		defer l.Close()
		piece := rec(typeParams, 1, strings.Repeat("p", MaxParams/2))
		in := rec(typeBeginRequest, 1, keepConn) + piece + piece
		if got := talk(connect(), in); got != "" {
			t.Errorf("all but one byte: got %s", got)
		}
		if got := talk(connect(), in+rec(typeParams, 1, "pp")); got != closed {
			t.Errorf("one byte more: got %s", got)
		}
	})
}

// slowWriter is a connection whose peer receives data before Write returns.
type slowWriter struct {
	net.Conn
	release chan struct{}
}

func (c slowWriter) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	<-c.release
	return n, err
}

func TestGuardTakesRequestsThatOvertakeAnAnswer(t *testing.T) {
	l, _ := serveFastCGI(t, answer)
	client, server := net.Pipe()
	c := slowWriter{server, make(chan struct{})}
	l.Listener.(*pipeListener).conns <- c
	w := &webServer{t, client}
	defer client.Close()
	w.begin(1)
	for range 3 {
		w.rest(1)
		for s := ""; s != "end 1 0"; {
			var err error
			if s, err = readOne(client); err != nil {
				t.Fatal(err)
			}
		}
		w.begin(1)
		c.release <- struct{}{}
	}
}

// The reason for closing a connection is logged once a minute, without what was sent.
func TestGuardLogsWhy(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"framing", "GET / HTTP/1.0\r\nsecret: x\r\n", "not FastCGI version 1"},
		{"a header twice", wholeRequest(1, pair("HTTP_SECRET", "a")+pair("HTTP_SECRET", "b")), "duplicate header"},
		{"too late", rec(typeBeginRequest, 1, keepConn), "request not complete in time"},
		{"no request", wholeRequest(1, pair("SECRET", "a")), "FastCGI request without a good REQUEST_METHOD"},
		{"the peer went", "\x01", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said strings.Builder
				l, connect := serveFastCGI(t, answer)
				l.log = slog.New(slog.NewTextHandler(&said, nil))
				for range 3 {
					c := connect()
					talk(c, tt.in)
					if tt.want != "" {
						<-time.After(RequestTimeout + time.Second)
					}
					c.Close()
				}
				_ = l.Shutdown(t.Context())
				synctest.Wait()
				got := said.String()
				if n := strings.Count(got, "\n"); n != 1 && tt.want != "" || n != 0 && tt.want == "" || !strings.Contains(got, tt.want) {
					t.Errorf("logged %q, want %q", got, tt.want)
				}
				if strings.Contains(strings.ToLower(got), "secret") {
					t.Errorf("logged %q", got)
				}
			})
		})
	}
}
