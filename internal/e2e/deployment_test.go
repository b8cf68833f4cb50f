package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// webServer is a web server between nginx's mail proxy and mailauthd, with its way to mailauthd.
type webServer struct {
	name  string
	start func(testing.TB, site) // listens on the site's auth address; nil: mailauthd itself does
}

// webServers has "http" too, where nginx's mail proxy asks mailauthd without a web server.
var webServers = []webServer{
	{"nginx-unix", func(tb testing.TB, s site) {
		startNginxHTTP(tb, s, contrib(tb, "nginx/auth-fastcgi.conf"))
	}},
	{"nginx-tcp", func(tb testing.TB, s site) {
		startNginxHTTP(tb, s, overTCP(tb, contrib(tb, "nginx/auth-fastcgi.conf")))
	}},
	{"apache-unix", func(tb testing.TB, s site) {
		startApache(tb, s, contrib(tb, "apache/mailauthd-unix.conf"))
	}},
	{"apache-tcp", func(tb testing.TB, s site) {
		startApache(tb, s, contrib(tb, "apache/mailauthd-tcp.conf"))
	}},
	{"http", nil},
}

// overTCP changes auth-fastcgi.conf as its comment says, so that nginx reaches mailauthd over TCP.
func overTCP(tb testing.TB, config string) string {
	tb.Helper()
	const server = "server 127.0.0.1:9000;"
	if !strings.Contains(config, "Over TCP:  "+server) {
		tb.Fatalf("auth-fastcgi.conf does not mention %q", server)
	}
	return replace(config, `(?m)^ *server +unix:.*$`, server)
}

// deployment is a whole mail site: nginx's mail proxy, a web server, mailauthd and Dovecot.
type deployment struct {
	site
	sink    *sink
	dovecot *dovecot
	daemon  *daemon
}

// deploy starts a mail site with the accounts at Dovecot, which is "dovecot1" to mailauthd. routing is the
// rest of mailauthd's TOML: domains and users.
func deploy(tb testing.TB, web webServer, accounts []account, routing string) *deployment {
	tb.Helper()
	d := deployBehind(tb, web, newSite(tb, tempDir(tb)), accounts, routing)
	startFront(tb, d.site, contrib(tb, "nginx/mail.conf"))
	return d
}

// deployBehind starts a mail site without nginx's mail proxy.
func deployBehind(tb testing.TB, web webServer, s site, accounts []account, routing string) *deployment {
	tb.Helper()
	d := &deployment{site: s, sink: startSink(tb)}
	if web.start == nil {
		d.auth = d.http
	}
	d.dovecot = startDovecot(tb, d.sink.port, accounts)
	d.daemon = startMailauthd(tb, d.site, serverTOML("dovecot1", d.dovecot)+routing)
	if web.start != nil {
		web.start(tb, d.site)
	}
	return d
}

func serverTOML(name string, d *dovecot) string {
	return fmt.Sprintf("\n[servers.%s]\nhost = \"127.0.0.1\"\npop3 = %d\nimap = %d\nsmtp = %d\n",
		name, d.pop3, d.imap, d.smtp)
}

// domainTOML sends a domain's users to "dovecot1".
func domainTOML(domain, verify string) string {
	return fmt.Sprintf("\n[domains.%q]\nservers = [\"dovecot1\"]\nverify = %q\n", domain, verify)
}

func userTOML(user, password string) string {
	return fmt.Sprintf("\n[users.%q]\npassword = %q\n", user, password)
}

// aliceTOML is for tests without a mail server: only alice can log in.
var aliceTOML = "[servers.dovecot1]\nhost = \"127.0.0.1\"\n" +
	domainTOML("domain02.com", "users") + userTOML(alice.user, "{PLAIN}"+alice.password)
