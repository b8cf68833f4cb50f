package password

import (
	"os"
	"os/exec"
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

// needProgram skips the test if the program is not installed. In CI the test fails instead.
func needProgram(t *testing.T, name string) string {
	t.Helper()
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

// checkOnly tests that a hash matches the password, and no password that differs by one byte.
func checkOnly(t *testing.T, h Hash, password string, cut int) {
	t.Helper()
	verify := func(p string, want bool) {
		t.Helper()
		if ok, err := h.Verify(p); ok != want || err != nil {
			t.Errorf("scheme %s: Verify(%q), hash of %q: %v, %v, want %v", h.Scheme(), p, password, ok, err, want)
		}
	}
	verify(password, true)
	last := min(len(password), cut) - 1
	for _, i := range []int{0, last} {
		wrong := []byte(password)
		wrong[i] ^= 1
		verify(string(wrong), false)
	}
	verify(password[:last], false)
	verify(password+"\x00", false)
	verify(password+"x", len(password) >= cut)
}
