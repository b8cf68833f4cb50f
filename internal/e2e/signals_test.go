package e2e

import (
	"fmt"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inFlight is a login through nginx and mailauthd that waits for a slow mail server.
type inFlight struct {
	site   site
	daemon *daemon
	server *slowServer
	answer chan textproto.MIMEHeader
}

func startInFlight(t *testing.T) *inFlight {
	t.Helper()
	f := &inFlight{
		site:   newSite(t, tempDir(t)),
		server: startSlowServer(t),
		answer: make(chan textproto.MIMEHeader, 1),
	}
	routing := fmt.Sprintf("[servers.dovecot1]\nhost = \"127.0.0.1\"\nimap = %d\n", f.server.port)
	f.daemon = startMailauthd(t, f.site, routing+domainTOML("domain1.com", "upstream"))
	startNginxHTTP(t, f.site, contrib(t, "nginx/auth-fastcgi.conf"))
	go func() {
		defer close(f.answer)
		header, err := ask(f.site.auth, bob.user, bob.password)
		if err != nil {
			t.Errorf("the login that waited: %v", err)
			return
		}
		f.answer <- header
	}()
	select {
	case <-f.server.reached:
	case <-time.After(clientTimeout):
		t.Fatal("the login did not reach the mail server")
	}
	return f
}

// finish lets the mail server answer, and checks that the login is good.
func (f *inFlight) finish(t *testing.T) {
	t.Helper()
	close(f.server.release)
	header := <-f.answer
	if got, want := header.Get("Auth-Port"), fmt.Sprint(f.server.port); got != want {
		t.Errorf("the login that waited: Auth-Port %q, want %q; all: %v", got, want, header)
	}
}

// TestReload changes all domains while a login waits. The old configuration must decide this login, and the new one
// all later logins.
func TestReload(t *testing.T) {
	t.Parallel()
	f := startInFlight(t)
	config := mailauthdTOML(t, f.site, f.daemon.authLog) + aliceTOML
	if err := os.WriteFile(f.daemon.config, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	f.daemon.signal(t, syscall.SIGHUP)
	reloaded := func() bool {
		header, err := ask(f.site.auth, alice.user, alice.password)
		return err == nil && header.Get("Auth-Status") == "OK"
	}
	if !poll(10*time.Second, f.daemon.done, reloaded) {
		t.Error("the new user cannot log in")
	}
	checkAuthStatus(t, f.site, bob.user, bob.password, "Invalid login or password")
	f.finish(t)
}

// TestTerminate ends mailauthd while a login waits. The login must still be answered.
func TestTerminate(t *testing.T) {
	t.Parallel()
	f := startInFlight(t)
	f.daemon.signal(t, syscall.SIGTERM)
	for _, address := range []string{f.site.socket, f.site.fastcgi, f.site.http} {
		if !poll(5*time.Second, f.daemon.done, func() bool { return !accepts(address) }) {
			t.Errorf("still accepts connections on %s", address)
		}
	}
	f.finish(t)
	if !f.daemon.ended(5 * time.Second) {
		t.Error("still running after the last login")
	}
}

// TestRestart restarts mailauthd behind a running web server. The next login must succeed, although the web server
// has kept connections open and remembers a failure.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, m := range webServers {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tempDir(t))
			if m.start == nil {
				s.auth = s.http
			}
			first := startMailauthd(t, s, aliceTOML)
			if m.start != nil {
				m.start(t, s)
			}
			checkAuthStatus(t, s, alice.user, alice.password, "OK")
			first.stop(t)
			if header, err := ask(s.auth, alice.user, alice.password); err == nil {
				t.Errorf("an answer without mailauthd: %v", header)
			}
			startMailauthd(t, s, aliceTOML)
			checkAuthStatus(t, s, alice.user, alice.password, "OK")
		})
	}
}

// TestBrokenReload checks that a reload with an invalid configuration changes nothing. Standard error must name the
// file and line.
func TestBrokenReload(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := startMailauthd(t, s, aliceTOML)
	config := readFile(t, d.config)
	writeFile(t, filepath.Dir(d.config), "mailauthd.toml", config+"verify = \"sometimes\"\n")
	d.signal(t, syscall.SIGHUP)
	told := func() bool { return strings.Contains(readFile(t, d.stderr), "the old one stays") }
	if !poll(10*time.Second, d.done, told) {
		t.Fatal("standard error says nothing of the broken configuration")
	}
	line := fmt.Sprintf("%s:%d: ", d.config, strings.Count(config, "\n")+1)
	if text := readFile(t, d.stderr); !strings.Contains(text, line) {
		t.Errorf("standard error does not name %q:\n%s", line, text)
	}
	checkAuthStatus(t, site{auth: s.http}, alice.user, alice.password, "OK")
}

// TestReopen renames the log and sends SIGUSR1, as logrotate does.
func TestReopen(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	d := startMailauthd(t, s, aliceTOML)
	direct := site{auth: s.http}
	checkAuthStatus(t, direct, alice.user, alice.password, "OK")
	if err := os.Rename(d.authLog, d.authLog+".1"); err != nil {
		t.Fatal(err)
	}
	d.signal(t, syscall.SIGUSR1)
	reopened := func() bool {
		checkAuthStatus(t, direct, alice.user, alice.password, "OK")
		return exists(d.authLog)
	}
	if !poll(10*time.Second, d.done, reopened) {
		t.Error("auth.log is not made anew")
	}
}
