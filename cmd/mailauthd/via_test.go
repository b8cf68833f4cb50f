package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeService answers each connection with the same bytes, and hands over the requests.
func fakeService(t *testing.T, answer string) (address string, requests <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 4096)
			n, _ := c.Read(b) // the request is one write
			got <- string(b[:n])
			_, _ = io.WriteString(c, answer)
			c.Close()
		}
	}()
	return l.Addr().String(), got
}

// via runs test-login -via, and returns all that it prints.
func via(t *testing.T, password string, args ...string) (status int, output string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdin, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var out bytes.Buffer
	status = run(append([]string{"test-login", "-config", "/dev/null/none"}, args...), stdin, &out, &out)
	return status, out.String()
}

func TestViaRequest(t *testing.T) {
	address, requests := fakeService(t, "HTTP/1.1 200 OK\r\nServer: Apache\r\nX-Powered-By: PHP/8\r\nAuth-Status: OK\r\nAuth-Pass: s3cr3t\r\n\r\n")
	status, output := via(t, "a b%+\xe4?", "-via", address+"/mail/auth.php?x=1", "-protocol", "smtp", "-client-ip", "192.0.2.1",
		"-header", "X-Auth-Port: 465", "bob@domain1.com\t")
	if status != exitNo || !strings.HasSuffix(output, "\nanswered by: something else (Server: Apache, X-Powered-By: PHP/8)\n") || strings.Contains(output, "s3cr3t") {
		t.Errorf("status %d: %s", status, output)
	}
	want := strings.Join([]string{"GET /mail/auth.php?x=1 HTTP/1.0", "Host: 127.0.0.1", "Auth-Method: plain", "Auth-User: bob@domain1.com%09",
		"Auth-Pass: a%20b%25+\xe4?", "Auth-Protocol: smtp", "Auth-Login-Attempt: 1", "Client-IP: 192.0.2.1", "X-Auth-Port: 465",
		"Mailauthd-Identify: 1", "", ""}, "\r\n")
	if got := <-requests; got != want {
		t.Errorf("request %q, want %q", got, want)
	}
}

// stdoutOf is a FastCGI answer with this on its standard output.
func stdoutOf(s string) string {
	b := fcgiRecord(nil, fcgiStdout, []byte(s))
	return string(fcgiRecord(b, fcgiEndRequest, make([]byte, 8)))
}

// Whatever answers, the command says which it is, or what the likely cause is, and ends with status 1.
func TestViaCauses(t *testing.T) {
	for _, tt := range []struct{ name, scheme, answer, want string }{
		{"PHP source", "http", "HTTP/1.1 200 OK\r\n\r\n<html><?php echo 1;", "status 200 OK: the body is PHP source"},
		{"another page", "http", "HTTP/1.1 200 OK\r\n\r\nIt works!", "status 200 OK: without Auth-Status"},
		{"not allowed", "http", "HTTP/1.1 403 Forbidden\r\nServer: nginx\r\n\r\n", "answered by: something else (Server: nginx)\nstatus 403 Forbidden: this client may not ask"},
		{"no location", "http", "HTTP/1.1 404 Not Found\r\n\r\n", "status 404 Not Found: nothing is at this URL"},
		{"script fails", "http", "HTTP/1.1 500 Internal Server Error\r\n\r\n", "status 500 Internal Server Error: the script or the web server failed"},
		{"bad gateway", "http", "HTTP/1.1 502 Bad Gateway\r\n\r\n", "status 502 Bad Gateway: the web server does not reach"},
		{"unavailable", "http", "HTTP/1.1 503 Service Unavailable\r\n\r\n", "status 503 Service Unavailable: the web server does not reach"},
		{"timeout", "http", "HTTP/1.1 504 Gateway Timeout\r\n\r\n", "status 504 Gateway Timeout: the web server does not reach"},
		{"redirect", "http", "HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\n\r\n", "status 301 Moved Permanently: nginx follows no redirect"},
		{"other status", "http", "HTTP/1.1 418 I'm a teapot\r\n\r\n", "status 418 I'm a teapot: no Auth-Status, so nginx"},
		{"nginx ignores the status", "http", "HTTP/1.1 500 Oops\r\nAuth-Status: OK\r\n\r\n", "answered by: something else\n"},
		{"not printable", "http", "HTTP/1.1 200 OK\r\nServer: a\xffb\r\nAuth-Status: OK\r\n\r\n", `(Server: a\xffb)`},
		{"long answer", "http", "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n\r\n" + strings.Repeat("x", 2*maxViaAnswer), "answered by: something else\n"},
		{"not HTTP", "http", "hello\r\n", "the answer is not HTTP (allowed_clients"},
		{"no answer", "http", "", "closed the connection without an answer (allowed_clients"},
		{"FastCGI of another service", "fcgi", stdoutOf("Status: 404 Not Found\r\nX-Powered-By: PHP/8\r\n\r\nFile not found."), "something else (X-Powered-By: PHP/8)\nstatus 404 Not Found: "},
		{"FastCGI without a status", "fcgi", stdoutOf("Auth-Status: OK\r\n\r\n"), "answered by: something else\n"},
		{"FastCGI without output", "fcgi", stdoutOf(""), "status 200 OK: without Auth-Status"},
		{"FastCGI without headers", "fcgi", stdoutOf("hello"), "the FastCGI answer has no headers"},
		{"FastCGI overloaded", "fcgi", string(fcgiRecord(nil, fcgiEndRequest, []byte{0, 0, 0, 0, 2, 0, 0, 0})), "protocolStatus 2"},
		{"not FastCGI", "fcgi", "HTTP/1.1 400 Bad Request\r\n\r\n", "the answer is not FastCGI (allowed_clients"},
		{"no FastCGI answer", "fcgi", "\x01", "closed the connection without an answer (allowed_clients"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			address, _ := fakeService(t, tt.answer)
			status, output := via(t, "x", "-via", tt.scheme+"://"+address, "bob@domain1.com")
			if status != exitNo || !strings.Contains(output, tt.want) {
				t.Errorf("status %d: %s, want %s", status, output, tt.want)
			}
		})
	}
}

func TestViaNoService(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	stale := filepath.Join(t.TempDir(), "s")
	u, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale})
	if err != nil {
		t.Fatal(err)
	}
	u.SetUnlinkOnClose(false)
	u.Close()
	for target, want := range map[string]string{
		l.Addr().String():         "connection refused (no process listens there: start the web server or mailauthd",
		"unix:" + stale:           "connection refused (a process has left the socket there: start mailauthd)",
		"unix:" + stale + ".none": "no such file or directory (is mailauthd running",
	} {
		if status, output := via(t, "x", "-via", target, "bob@domain1.com"); status != exitNo || !strings.Contains(output, want) {
			t.Errorf("%s: status %d: %s, want %s", target, status, output, want)
		}
	}
}
