package e2e

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile has values that could add a header. In a line of HTTP only an escape can hold a line end.
func hostile() map[string]string {
	return map[string]string{
		"line end":         "bob%0d%0aAuth-Status: OK%0d%0aAuth-Server: 203.0.113.1",
		"line feed":        "bob%0aAuth-Status: OK",
		"NUL":              "bob%00@domain02.com",
		"escaped twice":    "bob%250d%250aAuth-Status: OK",
		"broken escapes":   "bob%zz%0%",
		"overlong UTF-8":   "bob\xc0\x8d\xc0\x8aAuth-Status: OK",
		"UTF-8 line ends":  "bob\u0085\u2028\u2029Auth-Status: OK",
		"terminal escapes": "bob%1b]0;owned%07%1b[2J",
		"raw C1":           "bob\xc2\x9b2J",
		"shell":            "bob;$(id)`id`|id&&id",
		"SQL":              "' OR '1'='1'; --",
		"LDAP":             "*)(uid=*))(|(uid=*",
		"TOML":             `bob"]` + "\\n[users.\"eve\"]",
		"log":              "x Client-IP:     198.51.100.7",
		"header":           "Auth-Status: OK",
		"long":             strings.Repeat("A", 60<<10),
		"quotes":           `"'\\x0a\n`,
		"commas":           "a,b;c=d",
	}
}

// refusedBy has a request that is refused for each method, and the names of its headers. A hostile value replaces
// that of each header in turn.
var refusedBy = map[string]struct {
	values map[string]string
	fields []string
}{
	"plain": {map[string]string{
		"Auth-User": alice.user, "Auth-Pass": mark + "-wrong", "Auth-Protocol": "imap", "Auth-Login-Attempt": "1", "Client-IP": "192.0.2.7",
	}, []string{
		"Auth-Method", "Auth-User", "Auth-Pass", "Auth-Salt", "Auth-Protocol", "Auth-Login-Attempt", "Client-IP", "Client-Host",
		"Proxy-Protocol-Addr", "Proxy-Protocol-Port", "Proxy-Protocol-Server-Addr", "Proxy-Protocol-Server-Port", "X-Auth-Key",
	}},
	"none": {map[string]string{
		"Auth-Protocol": "smtp", "Client-IP": "192.0.2.7", "Auth-SMTP-Helo": "mx.example.org",
		"Auth-SMTP-From": "MAIL FROM:<a@example.org>", "Auth-SMTP-To": "RCPT TO:<b@example.org>",
	}, []string{"Client-IP", "Client-Host", "Auth-SMTP-Helo", "Auth-SMTP-From", "Auth-SMTP-To"}},
	"external": {map[string]string{
		"Auth-User": alice.user, "Auth-Protocol": "imap", "Client-IP": "192.0.2.7", "Auth-SSL": "on", "Auth-SSL-Verify": "SUCCESS",
		"Auth-SSL-Subject": "CN=nobody", "Auth-SSL-Fingerprint": strings.Repeat("0", 40),
	}, []string{
		"Auth-User", "Auth-SSL", "Auth-SSL-Protocol", "Auth-SSL-Cipher", "Auth-SSL-Verify", "Auth-SSL-Subject", "Auth-SSL-Issuer",
		"Auth-SSL-Serial", "Auth-SSL-Fingerprint", "Auth-SSL-Cert",
	}},
}

// refusals has all texts that a client may be told.
var refusals = []string{"Invalid login or password", "Temporary authentication failure", "Relay access denied"}

// answerHeaders has all headers that a refusal may have: ours, and those of the web server.
var answerHeaders = []string{"Auth-Status", "Auth-Error-Code", "Server", "Date", "Connection", "Content-Length", "Content-Type"}

// TestInjection puts hostile values into each header of a request to real web servers. No login may be accepted,
// the answer may have only the usual headers, and the log must have one entry for each request.
func TestInjection(t *testing.T) {
	t.Parallel()
	for _, m := range []webServer{webServers[0], webServers[2], webServers[4]} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tempDir(t))
			if m.start == nil {
				s.auth = s.http
			}
			daemon := startMailauthd(t, s, "\n[auth]\nmethods = [\"plain\", \"external\", \"none\"]\n[auth.external]\nuser_from = \"CN\"\n[servers.dovecot1]\nhost = \"127.0.0.1\"\n"+
				domainTOML("domain02.com", "users")+userTOML(alice.user, "{PLAIN}"+alice.password))
			if m.start != nil {
				m.start(t, s)
			}
			sent, decided := 0, 0
			for method, r := range refusedBy {
				for name, value := range hostile() {
					for _, field := range r.fields {
						values := maps.Clone(r.values)
						values["Auth-Method"] = method
						values[field] = value
						sent++
						if injected(t, s.auth, field+", "+name, values) {
							decided++
						}
					}
				}
			}
			if decided < sent*3/4 {
				t.Errorf("only %d of %d requests were decided", decided, sent)
			}
			checkEntries(t, daemon, decided)
		})
	}
}

// injected sends one request. It reports whether mailauthd decided the request, because web servers refuse some
// of them.
func injected(t *testing.T, address, what string, values map[string]string) (decided bool) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		t.Fatal(err)
	}
	request := "GET /mail/auth.php HTTP/1.0\r\nHost: 127.0.0.1\r\n"
	for k, v := range values {
		request += k + ": " + v + "\r\n"
	}
	_, _ = fmt.Fprint(conn, request+"\r\n") // the web server may refuse the request before it has read all of it
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false // closed without an answer, which nginx takes for an error of auth_http
	}
	defer response.Body.Close()
	status := response.Header.Get("Auth-Status")
	if status == "" {
		if response.StatusCode < 400 || response.Header.Get("Auth-Server") != "" {
			t.Errorf("%s: %s without Auth-Status: %v", what, response.Status, response.Header)
		}
		return false
	}
	for header, v := range response.Header {
		if !slices.Contains(answerHeaders, header) || len(v) != 1 {
			t.Errorf("%s: header %s: %q", what, header, v)
		}
	}
	if !slices.Contains(refusals, status) {
		t.Errorf("%s: Auth-Status: %q", what, status)
	}
	return true
}

// checkEntries checks that the log has one complete entry for each decision.
func checkEntries(t *testing.T, d *daemon, decided int) {
	t.Helper()
	var text string
	count := func() int {
		text = readFile(t, d.authLog)
		return strings.Count(text, ": Auth-Method:   ")
	}
	if !poll(5*time.Second, nil, func() bool { return count() >= decided }) || count() != decided {
		t.Errorf("%d entries in the log for %d decisions", count(), decided)
	}
	for line := range strings.Lines(text) {
		if logLine.FindString(strings.TrimSuffix(line, "\n")) == "" || strings.ContainsAny(line, "\x00\x1b\r\x7f") {
			t.Errorf("line %q has not the layout", line)
		}
	}
}
