package password

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const dovecotUser = "alice@example.com"

// doveadmPW runs the real doveadm pw, which does not read its configuration for that.
func doveadmPW(t *testing.T, doveadm string, args ...string) string {
	t.Helper()
	out, err := exec.Command(doveadm, append([]string{"-O", "pw", "-u", dovecotUser}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("doveadm pw %q: %v: %s", args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// TestHashesOfDoveadm tests that every scheme of Dovecot is supported, and that Dovecot's hashes
// are verified.
func TestHashesOfDoveadm(t *testing.T) {
	doveadm := needProgram(t, "doveadm")
	for _, name := range strings.Fields(doveadmPW(t, doveadm, "-l")) {
		tried := passwords
		if strings.HasPrefix(name, "ARGON2") { // costly, and doveadm makes no cheaper ones
			tried = passwords[3:]
		}
		for _, password := range tried {
			args := []string{"-s", name, "-p", password}
			if rounds := leastCost[name]; rounds > 1 {
				args = append(args, "-r", strconv.Itoa(rounds))
			}
			value := doveadmPW(t, doveadm, args...)
			if name == "PLAIN-TRUNC" { // doveadm omits the length, and cannot verify the result itself
				value = strings.Replace(value, "}", "}999-", 1)
			}
			h := parse(t, value, dovecotUser)
			if h.Scheme() != name {
				t.Errorf("scheme = %q, want %q", h.Scheme(), name)
			}
			checkOnly(t, h, value, password, cut(value))
		}
	}
}

func TestEncodingsOfDoveadm(t *testing.T) {
	doveadm := needProgram(t, "doveadm")
	const password = "p\xe4ss w"
	for _, name := range []string{"PLAIN", "CRYPT", "SSHA", "SHA256", "CRAM-MD5", "LDAP-MD5", "SCRAM-SHA-1"} {
		for _, suffix := range []string{".b64", ".BASE64", ".hex"} {
			h := parse(t, doveadmPW(t, doveadm, "-s", name+suffix, "-p", password), dovecotUser)
			if h.Scheme() != name {
				t.Errorf("scheme = %q, want %q", h.Scheme(), name)
			}
			checkOnly(t, h, "", password, 72)
			checkDoveadmVerifies(t, doveadm, name+suffix, password)
		}
	}
}

// TestDoveadmVerifiesWhatIsMade tests that Dovecot verifies the hashes that Make makes.
func TestDoveadmVerifiesWhatIsMade(t *testing.T) {
	doveadm := needProgram(t, "doveadm")
	known := strings.Fields(doveadmPW(t, doveadm, "-l"))
	for _, s := range Schemes() {
		if !slices.Contains(known, s.Name) {
			t.Errorf("doveadm does not list %s", s.Name)
		}
		if s.Make {
			checkDoveadmVerifies(t, doveadm, s.Name, "p\xe4ss w")
		}
	}
}

func checkDoveadmVerifies(t *testing.T, doveadm, scheme, password string) {
	t.Helper()
	value, err := Make(scheme, dovecotUser, password, leastCost[scheme])
	if err != nil {
		t.Fatal(err)
	}
	if out := doveadmPW(t, doveadm, "-t", value, "-p", password); out != value+" (verified)" {
		t.Errorf("doveadm pw -t of %s: %q", value, out)
	}
}
