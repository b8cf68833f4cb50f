package e2e

import (
	"strings"
	"testing"
)

// encoded has schemes with a suffix for the encoding.
var encoded = []string{"PLAIN.b64", "SSHA.hex", "SHA256.hex", "CRAM-MD5.b64", "LDAP-MD5.BASE64", "SCRAM-SHA-1.b64"}

// desLength is the number of bytes of a password that DES-CRYPT reads.
const desLength = 8

// TestSchemes makes a hash in each scheme that doveadm lists, and logs in with it through nginx and Dovecot. A
// scheme that mailauthd does not know prevents its start.
func TestSchemes(t *testing.T) {
	t.Parallel()
	schemes := allSchemes(t)
	var accounts []account
	var routing strings.Builder
	routing.WriteString("\n[auth]\nallow_weak_schemes = true\n" + domainTOML("domain02.com", "users"))
	for _, scheme := range schemes {
		a := account{strings.ToLower(scheme) + "@domain02.com", mark + "-" + scheme}
		accounts = append(accounts, a)
		routing.WriteString(userTOML(a.user, schemeHash(t, scheme, a)))
	}
	d := deploy(t, webServers[0], accounts, routing.String())
	for i, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			testScheme(t, d, scheme, accounts[i])
		})
	}
}

// allSchemes returns the schemes that doveadm lists, and some with a suffix.
func allSchemes(tb testing.TB) []string {
	tb.Helper()
	schemes := append(strings.Fields(doveadmPW(tb, "", "-l")), encoded...)
	if len(schemes) < 2*len(encoded) {
		tb.Fatalf("doveadm pw -l lists only %q", schemes)
	}
	return schemes
}

func schemeHash(tb testing.TB, scheme string, a account) string {
	tb.Helper()
	hash := doveadmPW(tb, a.password, "-u", a.user, "-s", scheme)
	if scheme == "PLAIN-TRUNC" {
		// Dovecot reads a length before the password, but doveadm does not write one.
		hash = strings.Replace(hash, "}", "}999-", 1)
	}
	return hash
}

// testScheme logs in with the right password, and with passwords that differ at the beginning, in the middle or at the end.
func testScheme(t *testing.T, d *deployment, scheme string, a account) {
	imap := way{"imap plain", "imap", "AUTH=PLAIN", curlSession}
	testMail(t, d, imap, a)
	length := len(a.password)
	if strings.HasPrefix(scheme, "DES-") {
		length = desLength
	}
	for _, at := range []int{0, length / 2, length - 1} {
		wrong := a.password[:at] + string([]byte{a.password[at] ^ 1}) + a.password[at+1:]
		checkAuthStatus(t, d.site, a.user, escapeNew(wrong), "Invalid login or password")
	}
}
