package shadow

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mailauthd/internal/authhttp"
)

// newScript makes a Script whose connections lead to serve instead of to the network.
func newScript(serve func(c net.Conn)) *Script {
	u, err := ParseURL("http://script.example:8009/mail/auth.php?x=1")
	if err != nil {
		panic(err)
	}
	s := NewScript(Config{URL: u, Answer: Theirs, Timeout: DefaultTimeout, MaxRequests: 2})
	s.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			serve(server)
		}()
		return client, nil
	}
	return s
}

// readRequest reads the head of a request.
func readRequest(c net.Conn) string {
	var head strings.Builder
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		if head.WriteString(line); err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

// says serves a fixed response.
func says(response string) func(c net.Conn) {
	return func(c net.Conn) {
		readRequest(c)
		io.WriteString(c, response)
	}
}

func head(lines ...string) string {
	return "HTTP/1.1 200 OK\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
}

const (
	wrongText = "Invalid login or password"
	okHead    = "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 192.0.2.1\r\nAuth-Port: 143\r\n\r\n"
)

// Every header of nginx arrives byte for byte, and nothing else does.
func TestForwards(t *testing.T) {
	var got string
	s := newScript(func(c net.Conn) {
		got = readRequest(c)
		io.WriteString(c, okHead)
	})
	reply := s.Ask(t.Context(), http.Header{
		"Auth-Method": {"plain"}, "Auth-User": {"b%20b+x@domain1.com"}, "Auth-Pass": {"p\xe4ss%zz%25%00\xc3\xa4+%"}, "Auth-Protocol": {"imap"},
		"Auth-Salt": {"<1.2@host>"}, "Client-Ip": {"192.0.2.42"}, "X-Auth-Key": {"key"}, "X-Auth-Port": {"993", "995"},
		"Connection": {"close"}, "Content-Length": {"5"}, "Content-Type": {"text/plain"}, "Transfer-Encoding": {"chunked"}, "Upgrade": {"h2c"},
	})
	if reply.Error != "" || reply.Response.Outcome != authhttp.OK {
		t.Fatalf("reply %+v", reply)
	}
	want := "GET /mail/auth.php?x=1 HTTP/1.1\r\nHost: script.example:8009\r\n" +
		"Auth-Method: plain\r\nAuth-Pass: p\xe4ss%zz%25%00\xc3\xa4+%\r\nAuth-Protocol: imap\r\nAuth-Salt: <1.2@host>\r\n" +
		"Auth-User: b%20b+x@domain1.com\r\nClient-Ip: 192.0.2.42\r\nMailauthd-Shadow: 1\r\nX-Auth-Key: key\r\nX-Auth-Port: 993\r\nX-Auth-Port: 995\r\n"
	got = strings.Replace(got, "Connection: close\r\n", "", 1) // that of the connection to the script
	if got != want+"\r\n" {
		t.Errorf("the script was sent\n%s\nwant\n%s", got, want)
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, response string
		want           string // the headers for nginx, or the error
	}{
		{"ok", okHead, "Auth-Port: 143\r\nAuth-Server: 192.0.2.1\r\nAuth-Status: OK\r\n"},
		{"all of a success", head("Auth-Status: OK", "Auth-Server: 2001:db8::1", "Auth-Port: 143", "Auth-User: u", "Auth-Pass: p", "Auth-Wait: 3", "X-Powered-By: PHP"),
			"Auth-Pass: p\r\nAuth-Port: 143\r\nAuth-Server: 2001:db8::1\r\nAuth-Status: OK\r\nAuth-User: u\r\n"},
		{"refused", head("auth-status: " + wrongText), "Auth-Status: " + wrongText + "\r\n"},
		{"all of a refusal", head("Auth-Status: No", "Auth-Wait: 3", "Auth-Error-Code: 535 5.7.8", "Auth-Error-SASL: e30=", "Auth-Server: x"),
			"Auth-Error-Code: 535 5.7.8\r\nAuth-Error-Sasl: e30=\r\nAuth-Status: No\r\nAuth-Wait: 3\r\n"},
		{"invalid wait", head("Auth-Status: No", "Auth-Wait: soon"), "Auth-Status: No\r\n"},
		{"endless wait", head("Auth-Status: No", "Auth-Wait: 99999"), "Auth-Status: No\r\n"},
		{"status line does not count", "HTTP/1.0 401 No\r\nAuth-Status: No\r\n\r\n", "Auth-Status: No\r\n"},
		{"chunked", head("Auth-Status: No", "Transfer-Encoding: chunked") + "5\r\nhello\r\n", "Auth-Status: No\r\n"},
		{"long body", head("Auth-Status: No", "Content-Length: 100000") + strings.Repeat("x", 100000), "Auth-Status: No\r\n"},
		{"folded", "HTTP/1.0 200 OK\r\nAuth-Status: No\r\n way\r\n\r\n", "Auth-Status: No way\r\n"},

		{"no status", "HTTP/1.0 500 Oops\r\n\r\nPHP Fatal error", "no Auth-Status (HTTP status 500)"},
		{"redirect", "HTTP/1.0 302 Found\r\nLocation: http://elsewhere.example/\r\n\r\n", "no Auth-Status (HTTP status 302)"},
		{"empty status", head("Auth-Status:"), `Auth-Status is "", which mailauthd does not pass on`},
		{"wait", head("Auth-Status: WAIT"), `Auth-Status is "WAIT", which mailauthd does not pass on`},
		{"two statuses", head("Auth-Status: No", "Auth-Status: OK"), "Auth-Status more than once"},
		{"two servers", head("Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Server: 192.0.2.2", "Auth-Port: 143"), "Auth-Server more than once"},
		{"host name", head("Auth-Status: OK", "Auth-Server: mail.example", "Auth-Port: 143"), "Auth-Server is not an IP address"},
		{"no port", head("Auth-Status: OK", "Auth-Server: 192.0.2.1"), "Auth-Port is not a number from 1 to 65535"},
		{"port 0", head("Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Port: 0"), "Auth-Port is not a number from 1 to 65535"},
		{"NUL", head("Auth-Status: No\x00way"), "no valid HTTP response with a head of at most 4096 bytes"},
		{"bare CR", head("Auth-Status: No\rAuth-Status: OK"), "no valid HTTP response with a head of at most 4096 bytes"},
		{"long password", head("Auth-Status: OK", "Auth-Server: 192.0.2.1", "Auth-Port: 143", "Auth-Pass: "+strings.Repeat("s", 600)), "response of "},
		{"garbage", "\x00\x01 Auth-Pass: secret\r\n\r\n", "no valid HTTP response with a head of at most 4096 bytes"},
		{"no header", "HTTP/1.0 200 OK\r\nsecret\r\n\r\n", "no valid HTTP response with a head of at most 4096 bytes"},
		{"huge head", head("Auth-Status: OK", "X: "+strings.Repeat("secret", 2000)), "no valid HTTP response with a head of at most 4096 bytes"},
		{"endless head", "HTTP/1.0 200 OK\r\n" + strings.Repeat("X: secret\r\n", 10000), "no valid HTTP response with a head of at most 4096 bytes"},
		{"closed at once", "", "connection closed before the end of the response head"},
		{"closed early", "HTTP/1.0 200 OK\r\nAuth-Status: OK\r\n", "connection closed before the end of the response head"},
		{"our own", head("Auth-Status: Temporary authentication failure", "Mailauthd-Shadow: 1"), "[shadow] url leads back to mailauthd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reply := newScript(says(tt.response)).Ask(t.Context(), http.Header{"Auth-Method": {"plain"}})
			if reply.Error != "" {
				if !strings.HasPrefix(reply.Error, tt.want) || reply.Response != (authhttp.Response{}) || strings.Contains(reply.Error, "secret") {
					t.Errorf("reply %+v, want the error %q", reply, tt.want)
				}
				return
			}
			h := make(http.Header)
			reply.Response.WriteHeader(h)
			var got strings.Builder
			h.Write(&got)
			if got.String() != tt.want {
				t.Errorf("nginx is sent\n%s\nwant\n%s", got.String(), tt.want)
			}
		})
	}
}

// The answer is that of the head: nobody waits for a body.
func TestBodyIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(c net.Conn) {
			says(head("Auth-Status: No", "Content-Length: 5"))(c)
			io.Copy(io.Discard, c) // until the client closes
		})
		if reply := s.Ask(t.Context(), http.Header{}); reply.Response.Text != "No" || reply.Took != 0 {
			t.Errorf("reply %+v", reply)
		}
	})
}

func TestSilentScript(t *testing.T) {
	for name, sent := range map[string]string{"nothing": "", "half a head": "HTTP/1.0 200 OK\r\nAuth-Sta"} {
		synctest.Test(t, func(t *testing.T) {
			closed := make(chan struct{})
			s := newScript(func(c net.Conn) {
				says(sent)(c)
				io.Copy(io.Discard, c)
				close(closed)
			})
			reply := s.Ask(t.Context(), http.Header{})
			if reply.Error != "no answer within 40s" || reply.Took != DefaultTimeout {
				t.Errorf("%s: reply %+v", name, reply)
			}
			<-closed
		})
	}
}

// More requests than max_requests wait for a connection, as long as the timeout.
func TestRequestsAtTheScriptAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var connected atomic.Int32
		s := newScript(func(c net.Conn) {
			connected.Add(1)
			io.Copy(io.Discard, c)
		})
		replies := make(chan Reply)
		for range 5 {
			go func() { replies <- s.Ask(t.Context(), http.Header{}) }()
		}
		synctest.Wait()
		if n := int(connected.Load()); n != s.MaxRequests {
			t.Errorf("%d connections, want %d", n, s.MaxRequests)
		}
		for range 5 {
			if reply := <-replies; reply.Took != DefaultTimeout {
				t.Errorf("reply %+v", reply)
			}
		}
	})
}

func TestUnreachableScript(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	u, err := ParseURL("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	reply := NewScript(Config{URL: u, Timeout: time.Minute, MaxRequests: 1}).Ask(t.Context(), http.Header{})
	if reply.Error != "connect: connection refused" {
		t.Errorf("reply %+v", reply)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if reply = newScript(says(okHead)).Ask(ctx, http.Header{}); !strings.HasPrefix(reply.Error, "not waited for") {
		t.Errorf("reply %+v", reply)
	}
}

// What cannot be sent by HTTP is refused with the name of the header, and without its value.
func TestControlCharacters(t *testing.T) {
	for _, c := range []string{"\x7f", "\r\nX: y", "\x00"} {
		reply := newScript(says(okHead)).Ask(t.Context(), http.Header{"Auth-Pass": {"secret" + c}})
		if reply.Error != "header Auth-Pass has a control character, so it cannot be sent to the script" {
			t.Errorf("%q: reply %+v", c, reply)
		}
	}
}

// An error of the network names no port of ours, so that equal causes have equal texts.
func TestResetConnection(t *testing.T) {
	s := newScript(nil)
	reset := &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: 54321}, Err: errors.New("connection reset by peer")}
	s.transport.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, reset }
	if reply := s.Ask(t.Context(), http.Header{}); reply.Error != "connection reset by peer" {
		t.Errorf("reply %+v", reply)
	}
}
