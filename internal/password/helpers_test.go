package password

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// anyScheme is a policy that accepts all schemes.
var anyScheme = Policy{AllowWeak: true}

func parse(t *testing.T, s, user string) Hash {
	t.Helper()
	h, err := anyScheme.Parse(s, user)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return h
}

// passwords has a space, UTF-8, Latin-1, and a password that is longer than any scheme uses.
var passwords = []string{
	"x",
	"tanst aaf",
	"pässwörd €",
	"caf\xe9 \xff\xfe",
	strings.Repeat("0123456789", 10),
}

// needProgram skips the test if the program is not installed, and with -short. In CI a program that is not installed
// fails the test.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skipf("%s is not started by the short tests", name)
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// cut returns the largest number of bytes of a password that a value depends on.
func cut(value string) int {
	switch {
	case strings.Contains(value, "}$2"):
		return 72
	case strings.HasPrefix(value, "{DES-CRYPT}"), strings.HasPrefix(value, "{CRYPT}") && !strings.Contains(value, "$"):
		return 8
	}
	return 1 << 20
}

// leastCost has the fewest rounds of each scheme that has any. Hashes that only need to be right are made with them.
var leastCost = map[string]int{
	"ARGON2ID": 1, "ARGON2I": 1, "BLF-CRYPT": 4, "CRYPT": 4, "SHA512-CRYPT": 1000, "SHA256-CRYPT": 1000,
	"PBKDF2": 10, "SCRAM-SHA-256": 4096, "SCRAM-SHA-1": 4096,
}

// costly matches hashes that take some tenths of a second to verify with the race detector.
var costly = regexp.MustCompile(`m=(65536|32768),|\$y\$j9T|\$7\$C6|\$sha1\$40000`)

// checkOnly tests that a hash matches the password, and no password that differs by one byte. A costly hash is not
// tested with these: there are cheaper ones of the same format.
func checkOnly(t *testing.T, h Hash, value, password string, cut int) {
	t.Helper()
	verify := func(p string, want bool) {
		t.Helper()
		if ok, err := h.Verify(p); ok != want || err != nil {
			t.Errorf("scheme %s: Verify(%q), hash of %q: %v, %v, want %v", h.Scheme(), p, password, ok, err, want)
		}
	}
	verify(password, true)
	if costly.MatchString(value) {
		return
	}
	last := min(len(password), cut) - 1
	verify(changed(password, 0), false)
	verify(changed(password, last), false)
	verify(password[:last], false)
	verify(password+"\x00", false)
	verify(password+"x", len(password) >= cut)
}

// changed returns the password with another byte at i.
func changed(password string, i int) string {
	return password[:i] + string([]byte{password[i] ^ 1}) + password[i+1:]
}
