package e2e

import (
	"testing"

	"mailauthd/internal/testport"
)

// startLighttpd starts lighttpd between the mail proxy and mailauthd. It opens a new FastCGI
// connection for each login.
func startLighttpd(tb testing.TB, s site, socket string) {
	tb.Helper()
	needRoot(tb)
	dir := tempDir(tb)
	host, port := splitAddress(tb, s.auth)
	config := render(tb, "lighttpd.conf", map[string]string{
		"Dir": dir, "Host": host, "Port": port, "User": webGroup(tb), "Socket": socket,
	})
	file := writeFile(tb, dir, "lighttpd.conf", config)
	p := start(tb, dir, "webserver", program(tb, "lighttpd"), "-D", "-f", file)
	waitReady(tb, p, s.auth)
}

// TestLighttpd asks through lighttpd's mod_fastcgi, over a unix socket and over TCP.
func TestLighttpd(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	startMailauthd(t, s, aliceTOML)
	host, port := splitAddress(t, s.fastcgi)
	for name, socket := range map[string]string{
		"unix": `"socket" => "` + s.socket + `"`,
		"tcp":  `"host" => "` + host + `", "port" => ` + port,
	} {
		t.Run(name, func(t *testing.T) {
			s := s
			s.auth = loopback(testport.Free(t))
			startLighttpd(t, s, socket)
			for range 3 {
				checkAuthStatus(t, s, alice.user, escapeNew(alice.password), "OK")
				checkAuthStatus(t, s, alice.user, escapeNew(bob.password), "Invalid login or password")
				checkAuthStatus(t, s, bob.user, escapeNew(bob.password), "Invalid login or password")
			}
		})
	}
}
