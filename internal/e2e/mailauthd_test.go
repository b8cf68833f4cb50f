package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// mark is part of every password in these tests. So a password that is where it should not be is found, whatever
// the escaping.
const mark = "Tr0ub4dor"

// daemon is a running mailauthd.
type daemon struct {
	*process
	config  string // file
	authLog string // file
}

// startMailauthd starts mailauthd on the site's FastCGI socket, FastCGI address and HTTP address.
// routing is the rest of its TOML: servers, domains, users.
func startMailauthd(tb testing.TB, s site, routing string) *daemon {
	tb.Helper()
	d := prepareMailauthd(tb, s, routing)
	d.start(tb, s)
	return d
}

// start starts mailauthd with the configuration that is in its file.
func (d *daemon) start(tb testing.TB, s site) {
	tb.Helper()
	d.process = start(tb, filepath.Dir(d.config), "mailauthd", binary, "serve", "-config", d.config)
	d.logs = append(d.logs, d.authLog)
	waitReady(tb, d.process, s.socket, s.fastcgi, s.http)
}

// prepareMailauthd writes the configuration. At the end of the test it checks how the program has ended.
func prepareMailauthd(tb testing.TB, s site, routing string) *daemon {
	tb.Helper()
	needRoot(tb) // to give the socket to the web server's group
	dir := tempDir(tb)
	d := &daemon{authLog: filepath.Join(dir, "auth.log")}
	d.config = writeFile(tb, dir, "mailauthd.toml", mailauthdTOML(tb, s, d.authLog)+routing)
	tb.Cleanup(func() {
		if d.process == nil {
			return
		}
		if d.err != nil {
			tb.Errorf("mailauthd ended with %v", d.err)
		}
		d.checkNoPassword(tb)
	})
	return d
}

func mailauthdTOML(tb testing.TB, s site, authLog string) string {
	tb.Helper()
	return fmt.Sprintf(`
[listen]
fastcgi = [%q, %q]
http    = [%q]
admin   = [%q]
owner   = "root"
group   = %q
mode    = "0660"

[log]
file     = %q
format   = "legacy"
timezone = "Europe/Moscow"
`, "unix:"+s.socket, s.fastcgi, s.http, "unix:"+s.admin, webGroup(tb), authLog)
}

// checkNoPassword checks that mailauthd wrote no password.
func (d *daemon) checkNoPassword(tb testing.TB) {
	tb.Helper()
	for _, file := range []string{d.stderr, d.authLog} {
		if exists(file) && strings.Contains(readFile(tb, file), mark) {
			tb.Errorf("%s holds a password", filepath.Base(file))
		}
	}
}
