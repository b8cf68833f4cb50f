package e2e

import (
	"bufio"
	"cmp"
	"io"
	"net"
	"net/textproto"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// loginRequest is the request of nginx for one login.
type loginRequest struct {
	account
	client   string // the client's address; 127.0.0.1 if it is empty
	method   string // plain if it is empty
	protocol string // imap if it is empty
	more     string // other FastCGI variables, as pair encodes them
}

func (r loginRequest) encode() string {
	return fastcgiRequest(pair("REQUEST_METHOD", "GET") + pair("SERVER_PROTOCOL", "HTTP/1.0") + pair("REQUEST_URI", "/mail/auth.php") +
		pair("HTTP_AUTH_METHOD", cmp.Or(r.method, "plain")) + pair("HTTP_AUTH_PROTOCOL", cmp.Or(r.protocol, "imap")) +
		pair("HTTP_CLIENT_IP", cmp.Or(r.client, "127.0.0.1")) +
		pair("HTTP_AUTH_USER", r.user) + pair("HTTP_AUTH_PASS", r.password) + r.more)
}

// ask sends the request on a connection of its own. It returns the headers of the answer, and the time from
// the request to the answer.
func (r loginRequest) ask(socket string) (textproto.MIMEHeader, time.Duration, error) {
	c, err := net.DialTimeout("unix", socket, clientTimeout)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	start := time.Now()
	if err := c.SetDeadline(start.Add(clientTimeout)); err != nil {
		return nil, 0, err
	}
	if _, err := io.WriteString(c, r.encode()); err != nil {
		return nil, 0, err
	}
	answer, err := readAnswer(c)
	took := time.Since(start)
	if err != nil {
		return nil, 0, err
	}
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(answer))).ReadMIMEHeader()
	header.Del("Date") // of net/http/fcgi
	return header, took, err
}

// status asks, and returns the Auth-Status of the answer.
func (r loginRequest) status(tb testing.TB, socket string) string {
	tb.Helper()
	header, _, err := r.ask(socket)
	if err != nil {
		tb.Fatalf("%s: %v", r.user, err)
	}
	return header.Get("Auth-Status")
}

// check asks, and checks the Auth-Status of the answer.
func (r loginRequest) check(tb testing.TB, socket, want string) {
	tb.Helper()
	if got := r.status(tb, socket); got != want {
		tb.Errorf("%s: Auth-Status %q, want %q", r.user, got, want)
	}
}

// startLogfmt starts mailauthd with a log in the format logfmt, which has the reasons.
func startLogfmt(t *testing.T, routing string) (site, *daemon) {
	t.Helper()
	s := newSite(t, tempDir(t))
	d := prepareMailauthd(t, s, routing)
	logfmt := strings.Replace(readFile(t, d.config), `"legacy"`, `"logfmt"`, 1)
	writeFile(t, filepath.Dir(d.config), filepath.Base(d.config), logfmt)
	d.serve(t)
	d.logs = append(d.logs, d.authLog)
	waitReady(t, d.process, s.socket, s.fastcgi, s.http)
	return s, d
}

var logfmtPair = regexp.MustCompile(`(\w+)=("(?:[^"\\]|\\.)*"|\S*)`)

// events returns the entries of the log, each with its values by name. mailauthd writes an event before it answers.
func (d *daemon) events(tb testing.TB) (events []map[string]string) {
	tb.Helper()
	for line := range strings.Lines(readFile(tb, d.authLog)) {
		event := map[string]string{}
		for _, p := range logfmtPair.FindAllStringSubmatch(line, -1) {
			if text, err := strconv.Unquote(p[2]); err == nil {
				p[2] = text
			}
			event[p[1]] = p[2]
		}
		events = append(events, event)
	}
	return events
}

// lastEvent returns the event of the login that was answered last.
func (d *daemon) lastEvent(tb testing.TB) map[string]string {
	tb.Helper()
	events := d.events(tb)
	if len(events) == 0 {
		tb.Fatal("nothing is in the log")
	}
	return events[len(events)-1]
}
