package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// secondAddress is where the second mail server of an old site listens, on the ports of the first: auth.php knows one
// port for each protocol.
const secondAddress = "127.0.0.2"

// quickDovecot are settings by which one process serves many sessions, and by which Dovecot refuses an unknown user
// without a delay. Both would take most of the time of a login.
const quickDovecot = `
passdb {
  driver = static
  args = nodelay=y password={PLAIN}unknown-user
}
service imap {
  service_count = 1000
  process_min_avail = 2
}
service pop3 {
  service_count = 1000
  process_min_avail = 2
}
service submission {
  service_count = 1000
  process_min_avail = 2
}
`

// oldSite is a deployment of auth.php: Apache with mod_php runs the script, which asks two mail servers.
type oldSite struct {
	site
	dir    string
	script string // file
	log    string // file, auth.log
	first  *dovecot
	apache *process
	trust  *tls.Config
}

// startOldSite starts the mail servers, nginx's mail proxy, and Apache with the script.
func startOldSite(tb testing.TB, first, second []account) *oldSite {
	tb.Helper()
	dir := tempDir(tb)
	o := &oldSite{site: newSite(tb, dir), dir: dir, log: filepath.Join(dir, "log", "auth.log")}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(readFile(tb, o.ca.file)))
	o.trust = &tls.Config{RootCAs: roots}
	relay := startSink(tb).port
	o.first = prepareDovecot(tb, relay, first, quickDovecot)
	o.first.run(tb)
	at := &dovecot{host: secondAddress, pop3: o.first.pop3, imap: o.first.imap, smtp: o.first.smtp}
	at.prepare(tb, relay, second, quickDovecot)
	at.run(tb)
	o.writeScript(tb)
	o.serveBy(tb, o.scriptAt(o.auth))
	startFront(tb, o.site, contrib(tb, "nginx/mail.conf"))
	return o
}

// writeScript puts auth.php where Apache finds it, and makes its log, which everybody may write, as in the old guide.
func (o *oldSite) writeScript(tb testing.TB) {
	tb.Helper()
	md5cram := filepath.Join(o.dir, "md5cram")
	cmd := exec.Command("go", "build", "-o", md5cram, "./cmd/md5cram")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("building md5cram: %v\n%s", err, out)
	}
	www := filepath.Join(o.dir, "www", "mail")
	for _, dir := range []string{www, filepath.Dir(o.log)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	o.script = writeFile(tb, www, "auth.php", render(tb, "auth.php", map[string]any{
		"POP3": o.first.pop3, "IMAP": o.first.imap, "SMTP": o.first.smtp, "MD5CRAM": md5cram, "Log": o.log,
	}))
	writeFile(tb, filepath.Dir(o.log), filepath.Base(o.log), "")
	if err := os.Chmod(o.log, 0o666); err != nil {
		tb.Fatal(err)
	}
}

// scriptAt is Apache's configuration for the script at an address.
func (o *oldSite) scriptAt(address string) string {
	return fmt.Sprintf(`
Listen %[1]s
<VirtualHost %[1]s>
    DocumentRoot %[2]q
    <FilesMatch "\.php$">
        SetHandler application/x-httpd-php
    </FilesMatch>
    php_admin_flag display_errors off
</VirtualHost>
`, address, filepath.Join(o.dir, "www"))
}

// serveBy starts Apache with a configuration, in place of the one that runs.
func (o *oldSite) serveBy(tb testing.TB, config string) {
	tb.Helper()
	needRoot(tb)
	if o.apache != nil {
		o.apache.stop(tb)
	}
	php, _ := filepath.Glob("/usr/lib/apache2/modules/libphp*.so")
	if len(php) == 0 {
		skip(tb, "mod_php is not installed (Debian: libapache2-mod-php)")
	}
	dir := tempDir(tb)
	config = fmt.Sprintf("LoadModule php_module %q\n", php[len(php)-1]) + config
	modules := append([]string{"mpm_prefork"}, apacheModules[1:]...) // mod_php needs it
	o.apache = runApache(tb, dir, apacheArgsWith(tb, dir, config, modules), o.auth)
}
