package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// sha512Crypt hashes a password with Dovecot's own tool, not with the library that mailauthd
// verifies it with. The rounds are few because the tests' many logins need no slow hash.
func sha512Crypt(tb testing.TB, password string) string {
	tb.Helper()
	return doveadmPW(tb, password, "-s", "SHA512-CRYPT", "-r", "1000")
}

// doveadmPW runs Dovecot's tool for hashes.
func doveadmPW(tb testing.TB, password string, args ...string) string {
	tb.Helper()
	cmd := exec.Command(program(tb, "doveadm"), append([]string{"-O", "pw"}, args...)...)
	cmd.Stdin = strings.NewReader(password + "\n" + password + "\n")
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("doveadm pw %q: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}
