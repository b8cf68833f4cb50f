package e2e

import "testing"

// TestCache: a password that was right is remembered while the mail server is stopped, until somebody
// has mailauthd forget it. What is not remembered is not known to be wrong.
func TestCache(t *testing.T) {
	t.Parallel()
	const unknown = "Temporary authentication failure"
	d := deployBehind(t, middles[0], newSite(t, tempDir(t)), []account{bob},
		domainTOML("domain1.com", "upstream")+"\n[cache]\nsize = 100\n")
	checkAuthStatus(t, d.site, bob.user, bob.password, "OK")
	d.dovecot.stop(t)
	checkAuthStatus(t, d.site, bob.user, bob.password, "OK")
	checkAuthStatus(t, d.site, bob.user, alice.password, unknown)
	checkAuthStatus(t, d.site, bob.user, bob.password, "OK")
	flush := runClient(t, "", binary, "cache", "flush", "-config", d.daemon.config)
	if flush.status != 0 || flush.output != "forgot 1 answers\n" {
		t.Errorf("cache flush: exit status %d: %s%s", flush.status, flush.output, flush.trace)
	}
	checkAuthStatus(t, d.site, bob.user, bob.password, unknown)
}
