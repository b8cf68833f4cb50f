package e2e

import "testing"

// The methods by which a client does not send its password.
var digestWays = []way{
	{"smtp cram-md5", "smtp", "AUTH=CRAM-MD5", curlSession},
	{"imap cram-md5", "imap", "AUTH=CRAM-MD5", curlSession},
	{"pop3 cram-md5", "pop3", "AUTH=CRAM-MD5", curlSession},
	{"pop3 apop", "pop3", "AUTH=+APOP", curlSession},
}

// TestDigests logs in by CRAM-MD5 and APOP. nginx then has no password from the client, and logs in to Dovecot
// with the password from the map.
func TestDigests(t *testing.T) {
	t.Parallel()
	d := deployBehind(t, webServers[0], newSite(t, tempDir(t)), []account{alice},
		domainTOML("domain02.com", "users")+userTOML(alice.user, "{PLAIN}"+alice.password))
	startFront(t, d.site, allMethods(t))
	for _, w := range digestWays {
		t.Run(w.name, func(t *testing.T) {
			t.Run("right", func(t *testing.T) { testMail(t, d, w, alice) })
			t.Run("wrong-password", func(t *testing.T) {
				w.login(t, d, account{alice.user, bob.password}).checkRefused(t, invalidLogin[w.protocol])
			})
			t.Run("unknown-user", func(t *testing.T) {
				w.login(t, d, account{"nobody@domain02.com", alice.password}).checkRefused(t, invalidLogin[w.protocol])
			})
		})
	}
}
