package e2e

import (
	"crypto/x509/pkix"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mailauthd/internal/testport"
)

// site has the ports, sockets and certificates of one test, in place of those in contrib/.
type site struct {
	pop3, imap, smtp int         // nginx's ports for mail clients: 995, 993, 465
	auth             string      // the HTTP address that auth_http asks: localhost:8008
	socket           string      // mailauthd's FastCGI socket: /run/mailauthd/fastcgi.sock
	fastcgi          string      // mailauthd's FastCGI address: 127.0.0.1:9000
	admin            string      // mailauthd's socket for its commands: /run/mailauthd/admin.sock
	http             string      // mailauthd's HTTP address; auth is the same if there is no web server
	beside           string      // the HTTP address of auth.php during the shadow run: localhost:8009
	mx               int         // nginx's port for other mail servers: 25
	ca               authority   // signs certificates, of nginx and of clients
	tls              certificate // nginx's: /etc/letsencrypt/live/...
}

// leftover matches a path, address or port that relocate has not replaced.
var leftover = regexp.MustCompile(`/run/|/etc/|/var/|\b(localhost|127\.0\.0\.1):(8008|8009|9000)\b|listen +\d+[ ;]`)

// relocate replaces the ports, sockets and certificates in a configuration of nginx or Apache, and nothing else.
func (s site) relocate(tb testing.TB, config string) string {
	tb.Helper()
	config = replace(config, `listen( +)995 `, fmt.Sprintf("listen${1}127.0.0.1:%d ", s.pop3))
	config = replace(config, `listen( +)993 `, fmt.Sprintf("listen${1}127.0.0.1:%d ", s.imap))
	config = replace(config, `listen( +)465 `, fmt.Sprintf("listen${1}127.0.0.1:%d ", s.smtp))
	config = replace(config, `listen( +)25;`, fmt.Sprintf("listen${1}127.0.0.1:%d;", s.mx))
	config = replace(config, `(localhost|127\.0\.0\.1):8008\b`, s.auth)
	config = replace(config, `(localhost|127\.0\.0\.1):8009\b`, s.beside)
	config = replace(config, `127\.0\.0\.1:9000\b`, s.fastcgi)
	config = replace(config, `/run/mailauthd/fastcgi\.sock`, s.socket)
	config = replace(config, `(ssl_certificate +)[^;]+;`, "${1}"+s.tls.file+";")
	config = replace(config, `(ssl_certificate_key +)[^;]+;`, "${1}"+s.tls.file+";")
	config = replace(config, `(ssl_client_certificate +)[^;]+;`, "${1}"+s.ca.file+";")
	if found := leftover.FindString(withoutComments(config)); found != "" {
		tb.Fatalf("still names a place outside of the test: %q", found)
	}
	return config
}

// newSite returns a site with free ports, and with its sockets and certificates in dir.
func newSite(tb testing.TB, dir string) site {
	tb.Helper()
	ca := newAuthority(tb, dir, "authority of this site")
	return site{
		pop3:    testport.Free(tb),
		imap:    testport.Free(tb),
		smtp:    testport.Free(tb),
		auth:    loopback(testport.Free(tb)),
		socket:  filepath.Join(dir, "fastcgi.sock"),
		fastcgi: loopback(testport.Free(tb)),
		admin:   filepath.Join(dir, "admin.sock"),
		http:    loopback(testport.Free(tb)),
		beside:  loopback(testport.Free(tb)),
		mx:      testport.Free(tb),
		ca:      ca,
		tls:     ca.issue(tb, dir, "nginx", pkix.Name{CommonName: "127.0.0.1"}),
	}
}

// contrib returns the text of a file in contrib/.
func contrib(tb testing.TB, name string) string {
	tb.Helper()
	return readFile(tb, repository, "contrib", filepath.FromSlash(name))
}

func replace(text, pattern, with string) string {
	return regexp.MustCompile(pattern).ReplaceAllString(text, with)
}

func withoutComments(config string) string {
	lines := strings.Split(config, "\n")
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, "#")
	}
	return strings.Join(lines, "\n")
}
