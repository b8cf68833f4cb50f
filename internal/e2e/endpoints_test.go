package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// endpoint is a socket of mailauthd. Its connections serve several requests.
type endpoint struct {
	name, network, address string
	request                func(a account, client string) string
	answer                 func(r *bufio.Reader) (status string, err error) // Auth-Status
}

func endpoints(s site) []endpoint {
	return []endpoint{
		{"FastCGI unix", "unix", s.socket, fastcgiFrom, fastcgiStatus},
		{"FastCGI tcp", "tcp", s.fastcgi, fastcgiFrom, fastcgiStatus},
		{"HTTP", "tcp", s.http, httpFrom, httpStatus},
	}
}

func fastcgiFrom(a account, client string) string {
	return fastcgiRequest(pair("REQUEST_METHOD", "GET") + pair("SERVER_PROTOCOL", "HTTP/1.0") + pair("REQUEST_URI", "/mail/auth.php") +
		pair("HTTP_AUTH_METHOD", "plain") + pair("HTTP_AUTH_PROTOCOL", "imap") + pair("HTTP_CLIENT_IP", client) +
		pair("HTTP_AUTH_USER", a.user) + pair("HTTP_AUTH_PASS", a.password))
}

func fastcgiStatus(r *bufio.Reader) (string, error) {
	answer, err := readAnswer(r)
	if err != nil {
		return "", err
	}
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(answer))).ReadMIMEHeader()
	return header.Get("Auth-Status"), err
}

func httpFrom(a account, client string) string {
	return fmt.Sprintf("GET /mail/auth.php HTTP/1.1\r\nHost: 127.0.0.1\r\nAuth-Method: plain\r\nAuth-User: %s\r\n"+
		"Auth-Pass: %s\r\nAuth-Protocol: imap\r\nClient-IP: %s\r\n\r\n", a.user, a.password, client)
}

func httpStatus(r *bufio.Reader) (string, error) {
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.Header.Get("Auth-Status"), err
}

// endpointConn is a connection to an endpoint.
type endpointConn struct {
	endpoint
	net.Conn
	in *bufio.Reader
}

func (d endpoint) dial() (*endpointConn, error) {
	c, err := net.DialTimeout(d.network, d.address, clientTimeout)
	if err != nil {
		return nil, err
	}
	return &endpointConn{d, c, bufio.NewReader(c)}, c.SetDeadline(time.Now().Add(clientTimeout))
}

// errHalf is the error of an incomplete answer.
var errHalf = errors.New("half an answer")

// login sends one request. Its error wraps errHalf if a part of the answer was received.
func (c *endpointConn) login(a account, client string) (status string, err error) {
	if _, err := io.WriteString(c, c.request(a, client)); err != nil {
		return "", err
	}
	if _, err := c.in.Peek(1); err != nil {
		return "", err
	}
	status, err = c.answer(c.in)
	if err != nil {
		err = fmt.Errorf("%w: %w", errHalf, err)
	}
	return status, err
}

// check logs in on this connection, and checks the Auth-Status.
func (c *endpointConn) check(t *testing.T, a account, want string) {
	t.Helper()
	if status, err := c.login(a, "127.0.0.1"); err != nil || status != want {
		t.Errorf("%s: %s: Auth-Status %q (%v), want %q", c.name, a.user, status, err, want)
	}
}

// check logs in on a connection of its own, and checks the Auth-Status.
func (d endpoint) check(t *testing.T, a account, want string) {
	t.Helper()
	c, err := d.dial()
	if err != nil {
		t.Errorf("%s: %v", d.name, err)
		return
	}
	defer c.Close()
	c.check(t, a, want)
}

// letsIn reports whether a login on a connection of its own is accepted.
func (d endpoint) letsIn(a account) bool {
	c, err := d.dial()
	if err != nil {
		return false
	}
	defer c.Close()
	status, err := c.login(a, "127.0.0.1")
	return err == nil && status == "OK"
}
