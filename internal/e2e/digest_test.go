package e2e

import "testing"

// The methods by which a client does not send its password.
var digestWays = []way{
	{"smtp cram-md5", "smtp", "AUTH=CRAM-MD5", curlSession},
	{"imap cram-md5", "imap", "AUTH=CRAM-MD5", curlSession},
	{"pop3 cram-md5", "pop3", "AUTH=CRAM-MD5", curlSession},
	{"pop3 apop", "pop3", "AUTH=+APOP", curlSession},
}

// TestDigests logs in by CRAM-MD5 and APOP. nginx then has no password of the client's, and logs in to
// Dovecot with the one from the map.
func TestDigests(t *testing.T) {
	t.Parallel()
	d := &deployment{site: newSite(t, tempDir(t)), sink: startSink(t)}
	d.dovecot = startDovecot(t, d.sink.port, []account{alice})
	d.daemon = startMailauthd(t, d.site, serverTOML("dovecot1", d.dovecot)+
		domainTOML("domain02.com", "users")+userTOML(alice.user, "{PLAIN}"+alice.password))
	startNginxHTTP(t, d.site, contrib(t, "nginx/auth-fastcgi.conf"))
	front := contrib(t, "nginx/mail.conf")
	front = replace(front, `\b(imap_auth|smtp_auth)( +)[^;]*;`, "${1}${2}plain login cram-md5;")
	front = replace(front, `pop3_auth( +)[^;]*;`, "pop3_auth${1}plain apop cram-md5;")
	startNginx(t, "front", d.relocate(t, front), loopback(d.pop3), loopback(d.imap), loopback(d.smtp))
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
