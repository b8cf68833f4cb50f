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
	cmd := exec.Command(program(tb, "doveadm"), "-O", "pw", "-s", "SHA512-CRYPT", "-r", "1000")
	cmd.Stdin = strings.NewReader(password + "\n" + password + "\n")
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("doveadm pw: %v", err)
	}
	return strings.TrimSpace(string(out))
}
