package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// TestVia asks through each web server, and at mailauthd's own sockets, which service answers. The web servers pass the
// question and the answer on. Each of their own answers has its likely cause.
func TestVia(t *testing.T) {
	t.Parallel()
	lighttpd := webServer{"lighttpd", func(tb testing.TB, s site) { startLighttpd(tb, s, `"socket" => "`+s.socket+`"`) }}
	for _, m := range append(slices.Clone(webServers), lighttpd) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tempDir(t))
			d := startMailauthd(t, s, aliceTOML)
			if m.start != nil {
				m.start(t, s)
			} else {
				s.auth = s.http
			}
			us := fmt.Sprintf(`(?s)^.*\nAuth-Status: %%s\n.*\n\nanswered by: mailauthd devel, pid %d\n$`, d.cmd.Process.Pid)
			url := "http://" + s.auth + "/mail/auth.php"
			for _, target := range []string{url, "unix:" + s.socket, "fcgi://" + s.fastcgi} {
				wantVia(t, d, target, alice.password, 0, fmt.Sprintf(us, "OK"))
				wantVia(t, d, target, bob.password, 1, fmt.Sprintf(us, "Invalid login or password"))
			}
			if m.start == nil {
				return
			}
			wantVia(t, d, "http://"+s.auth+"/mail/other.php", alice.password, 1, `\nanswered by: something else \(Server: .*\)\nstatus 40[34] [A-Z]`)
			d.stop(t)
			wantVia(t, d, url, alice.password, 1, `\nanswered by: something else \(Server: .*\)\nstatus 50[23] .*: the web server does not reach `)
		})
	}
}

func wantVia(t *testing.T, d *daemon, target, password string, status int, output string) {
	t.Helper()
	got := runClient(t, password+"\n", binary, "test-login", "-config", d.config, "-via", target, alice.user)
	if got.status != status || !regexp.MustCompile(output).MatchString("\n"+got.output) {
		t.Errorf("%s: exit status %d, want %d and %s; output %s%s", target, got.status, status, output, got.output, got.trace)
	}
}
