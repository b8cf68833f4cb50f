package e2e

import (
	"crypto/x509/pkix"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// saslSettings make Dovecot check passwords for another program.
const saslSettings = `
service auth {
  unix_listener %s {
    mode = 0666
  }
}
`

// submissionSettings make Postfix offer AUTH, but only after STARTTLS. Only one smtpd process runs, so the one that
// has reached Dovecot is also the one that loses it.
const submissionSettings = `
smtpd_tls_security_level = may
smtpd_tls_cert_file = %[1]s
smtpd_tls_key_file = %[1]s
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %[2]s
smtpd_sasl_security_options = noanonymous
smtpd_error_sleep_time = 0
default_process_limit = 1
`

// submissionTOML has one server for all domains. Each domain uses another mechanism, whatever the client's protocol.
const submissionTOML = `
[servers.%[1]s]
host = "127.0.0.1"

[servers.%[1]s.verify]
protocol = "smtp"
smtp = %[2]d
tls = "starttls"
ca_file = %[3]q
mechanisms = [%[4]q]
timeout = "5s"

[domains.%[5]q]
servers = [%[1]q]
verify = "upstream"
`

// TestSubmissionToPostfix checks passwords at Postfix, which asks Dovecot.
func TestSubmissionToPostfix(t *testing.T) {
	t.Parallel()
	s, accounts := newSite(t, tempDir(t)), map[string]account{"PLAIN": bob, "CRAM-MD5": alice}
	sasl := filepath.Join(tempDir(t), "auth")
	d := prepareDovecot(t, 1, []account{bob, alice}, fmt.Sprintf(saslSettings, sasl))
	d.run(t)
	waitReady(t, d.process, sasl)
	cert := s.ca.issue(t, tempDir(t), "postfix", pkix.Name{CommonName: "mx.domain1.com"})
	p := startPostfix(t, fmt.Sprintf(submissionSettings, cert.file, sasl))
	var config strings.Builder
	for mechanism, a := range accounts {
		_, domain, _ := strings.Cut(a.user, "@")
		fmt.Fprintf(&config, submissionTOML, "postfix-"+strings.ToLower(mechanism), p.smtp, s.ca.file, mechanism, domain)
	}
	m := startMailauthd(t, s, config.String())
	direct := site{auth: s.http}
	for _, a := range accounts {
		checkAuthStatus(t, direct, a.user, a.password, "OK")
		checkAuthStatus(t, direct, a.user, mark, "Invalid login or password")
		checkAuthStatus(t, direct, "nobody"+a.user, a.password, "Invalid login or password")
		checkAuthStatus(t, direct, a.user, a.password, "OK")
	}
	d.kill() // after a SIGTERM Dovecot would go on to serve Postfix, which is connected
	// Postfix reports the failure once. Then its master starts no process for a while, so there is no greeting.
	login := account{bob.user, bob.password}.testLogin(t, m)
	if login.status != 1 || !strings.Contains(login.output, "454 4.7.0 Temporary authentication failure") {
		t.Errorf("Dovecot is stopped: exit status %d:\n%s%s", login.status, login.output, login.trace)
	}
	checkAuthStatus(t, direct, alice.user, alice.password, "Temporary authentication failure")
}

// testLogin runs mailauthd test-login, which prints the dialogue with the server.
func (a account) testLogin(tb testing.TB, d *daemon) session {
	tb.Helper()
	return runClient(tb, a.password+"\n", binary, "test-login", "-config", d.config, a.user)
}
