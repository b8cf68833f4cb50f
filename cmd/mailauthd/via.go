package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
)

// Limits of what test-login -via waits for and reads.
const (
	viaDialTimeout = 10 * time.Second
	viaTimeout     = 60 * time.Second // nginx waits no longer: auth_http_timeout
	maxViaAnswer   = 64 << 10         // bytes
)

// target is where nginx's auth_http leads.
type target struct {
	network, address string
	fastCGI          bool
	host, path       string // of the request
}

// parseTarget reads the value of -via.
func parseTarget(via string) (target, error) {
	if path, ok := strings.CutPrefix(via, "unix:"); ok {
		if !strings.HasPrefix(path, "/") {
			return target{}, usageError("-via: want an absolute path, such as unix:/run/mailauthd/fastcgi.sock")
		}
		return target{"unix", path, true, "localhost", "/mail/auth.php"}, nil
	}
	if !strings.Contains(via, "://") {
		via = "http://" + via // as in auth_http
	}
	u, err := url.Parse(via)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "fcgi" {
		return target{}, usageError("-via: want http://127.0.0.1:8008/mail/auth.php, unix:/run/mailauthd/fastcgi.sock or fcgi://127.0.0.1:9000")
	}
	port := u.Port()
	host := strings.TrimSuffix(u.Host, ":"+port) // nginx sends no port
	if u.Scheme == "fcgi" {
		if port == "" {
			return target{}, usageError("-via: want a port, such as fcgi://127.0.0.1:9000")
		}
		return target{"tcp", u.Host, true, host, "/mail/auth.php"}, nil
	}
	if port == "" {
		port = "80"
	}
	return target{"tcp", net.JoinHostPort(u.Hostname(), port), false, host, u.RequestURI()}, nil
}

// viaAnswer is what the service at a URL answered.
type viaAnswer struct {
	code   int
	status string // such as "200 OK"
	header http.Header
	body   string // its beginning
}

// testVia asks for a login as nginx would, and says which service answered.
func (c *call) testVia(a *asked, path string) error {
	to, err := parseTarget(a.via)
	if err != nil {
		return err
	}
	secret := c.secretHeader(path)
	password, err := c.readPassword("Password: ")
	if err != nil {
		return err
	}
	request := append(a.request(c.flags.Arg(0), password), secret...)
	answer, err := to.ask(append(request, headerLine{authhttp.Identify, "1"}))
	if err != nil {
		return fmt.Errorf("%s: %w%s", a.via, err, to.hint(err))
	}
	c.printHeaders(answer.header)
	fmt.Fprintln(c.stdout)
	for _, line := range answer.verdict() {
		fmt.Fprintln(c.stdout, authlog.Escape(line))
	}
	if answer.identity() == "" || answer.header.Get("Auth-Status") != "OK" {
		return errNo
	}
	return nil
}

// secretHeader returns the configured secret. Without a configuration the login is tried without one.
func (c *call) secretHeader(path string) []headerLine {
	cfg, err := config.Load(path)
	if err == nil && cfg.Secret == nil {
		return nil
	}
	value := ""
	if err == nil {
		value, err = cfg.Secret.Value()
	}
	if err != nil {
		fmt.Fprintln(c.stderr, "warning: no [auth] secret is sent, because the configuration cannot be read:", err)
		return nil
	}
	return []headerLine{{cfg.Secret.Header, value}}
}

// ask makes one request on a new connection.
func (t target) ask(request []headerLine) (*viaAnswer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), viaDialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, t.network, t.address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(viaTimeout)); err != nil {
		return nil, err
	}
	if t.fastCGI {
		return t.askFastCGI(conn, request)
	}
	return t.askHTTP(conn, request)
}

// askHTTP makes nginx's request: a GET by HTTP/1.0.
func (t target) askHTTP(conn net.Conn, request []headerLine) (*viaAnswer, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.0\r\nHost: %s\r\n", t.path, t.host)
	for _, line := range request {
		fmt.Fprintf(&b, "%s: %s\r\n", line.name, line.value)
	}
	if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
		return nil, err
	}
	in := bufio.NewReader(io.LimitReader(conn, maxViaAnswer))
	if _, err := in.Peek(1); err != nil {
		return nil, unanswered(err)
	}
	response, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, errNotHTTP
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body) // the beginning is enough
	return &viaAnswer{response.StatusCode, response.Status, response.Header, string(body)}, nil
}

var (
	errUnanswered = errors.New("closed the connection without an answer")
	errNotHTTP    = errors.New("the answer is not HTTP")
	errNotFastCGI = errors.New("the answer is not FastCGI")
)

// unanswered replaces the error of a connection that was closed before the answer.
func unanswered(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err) {
		return errUnanswered
	}
	return err
}
