package e2e

import "testing"

// TestNoneNotConfigured checks the answer to mail from outside if [auth] methods does not have none. nginx asks only
// because of a mistake in its own configuration. So the other mail server must be told to try again.
func TestNoneNotConfigured(t *testing.T) {
	t.Parallel()
	s := newSite(t, tempDir(t))
	startMailauthd(t, s, aliceTOML)
	header, _, err := loginRequest{
		method: "none", protocol: "smtp",
		more: pair("HTTP_AUTH_SMTP_HELO", "client.example.org") + pair("HTTP_AUTH_SMTP_FROM", "MAIL FROM:<someone@example.org>") +
			pair("HTTP_AUTH_SMTP_TO", "RCPT TO:<"+alice.user+">"),
	}.ask(s.socket)
	if err != nil {
		t.Fatal(err)
	}
	if status, code := header.Get("Auth-Status"), header.Get("Auth-Error-Code"); status != tempFailure || code != "451 4.3.0" {
		t.Errorf("Auth-Status %q, Auth-Error-Code %q, want %q and 451 4.3.0", status, code, tempFailure)
	}
}
