package e2e

import (
	"slices"
	"testing"
)

// TestCache checks that a right password is remembered while the mail server is stopped, until the cache
// is flushed. A password that is not remembered then is a temporary failure, not a wrong password.
func TestCache(t *testing.T) {
	t.Parallel()
	const unknown = "Temporary authentication failure"
	d := deployBehind(t, webServers[0], newSite(t, tempDir(t)), []account{bob},
		domainTOML("domain1.com", "upstream")+"\n[cache]\nsize = 100\n")
	checkAuthStatus(t, d.site, bob.user, bob.password, "OK")
	d.dovecot.stop(t)
	checkAuthStatus(t, d.site, bob.user, bob.password, "OK")
	checkAuthStatus(t, d.site, bob.user, alice.password, unknown)
	checkAuthStatus(t, d.site, bob.user, bob.password, "OK")
	d.administer(t, "forgot 1 answers\n", "cache", "flush")
	checkAuthStatus(t, d.site, bob.user, bob.password, unknown)
}

// TestThrottleReset checks that a throttled user can log in again after "throttle reset".
func TestThrottleReset(t *testing.T) {
	t.Parallel()
	const failed = "Invalid login or password"
	d := deployBehind(t, webServers[0], newSite(t, tempDir(t)), []account{bob},
		domainTOML("domain1.com", "upstream")+"\n[throttle]\npair_limit = 1\n")
	checkAuthStatus(t, d.site, bob.user, alice.password, failed)
	checkAuthStatus(t, d.site, bob.user, bob.password, failed)
	d.administer(t, "COUNTER  OF                              WRONG PASSWORDS  LIMIT  NEXT LOGIN IN\npair     bob@domain1.com from 127.0.0.1  1.0              1      1h0m0s\n",
		"throttle", "show")
	d.administer(t, "forgot 2 counters\n", "throttle", "reset", bob.user)
	checkAuthStatus(t, d.site, bob.user, bob.password, "OK")
	d.administer(t, "no wrong passwords are counted for "+bob.user+"\n", "throttle", "show", bob.user)
}

// administer runs a command with the daemon's configuration.
func (d *deployment) administer(t *testing.T, want string, command ...string) {
	t.Helper()
	command = slices.Insert(command, 2, "-config", d.daemon.config)
	got := runClient(t, "", binary, command...)
	if got.status != 0 || got.output != want {
		t.Errorf("%q: exit status %d: %s%s", command, got.status, got.output, got.trace)
	}
}
