package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func warnings(t *testing.T, path string) string {
	t.Helper()
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, w := range c.Warnings {
		list = append(list, w.Error())
	}
	return strings.ReplaceAll(strings.Join(list, "\n"), filepath.Dir(path)+"/", "")
}

func TestWarnsOfUnused(t *testing.T) {
	for text, want := range map[string]string{
		minimal: "",
		"listen.http = [\"127.0.0.1:1\"]\n[servers.s]\nhost = \"192.0.2.1\"\n":                        `m.toml:1: domains: there is none, so every login is refused: add one, such as [domains."example.com"] with servers = ["axigen1"]`,
		minimal + "[servers.t]\nhost = \"192.0.2.2\"\n":                                               "m.toml:8: servers.t: no domain and no user names this server: add it to servers or mx of a domain, or remove it",
		minimal + "mx = [\"t\"]\n[servers.t]\nhost = \"192.0.2.2\"\n":                                 "",
		minimal + "[servers.t]\nhost = \"192.0.2.2\"\n[users.\"a@domain1.com\"]\nservers = [\"t\"]\n": "",

		minimal + "[servers.s.verify]\nconnect_timeout = \"30s\"\n":                  `m.toml:9: servers.s.verify.connect_timeout: is longer than timeout, which ends the whole check: want at most "20s"`,
		minimal + "[servers.s.verify]\nconnect_timeout = \"3s\"\ntimeout = \"2s\"\n": `m.toml:9: servers.s.verify.connect_timeout: is longer than timeout, which ends the whole check: want at most "2s"`,
		minimal + "[servers.s.verify]\ntimeout = \"2s\"\n":                           "",
		minimal + "[servers.s.verify]\nconnect_timeout = \"20s\"\n":                  "",
	} {
		if got := warnings(t, write(t, "m.toml", text)); got != want {
			t.Errorf("%s:\nwarnings %s\nwant     %s", text, got, want)
		}
	}
}

// withSecrets writes a configuration with a file of each kind, and returns the path of the main file.
func withSecrets(t *testing.T) string {
	return write(t,
		"m.toml", "include = [\"*.users\"]\n[auth]\nsecret = { header = \"X-Auth-Key\", file = \"auth.key\" }\n"+minimal+
			"[servers.s.master]\nuser = \"proxy\"\npassword_file = \"master\"\n[servers.s.verify]\ntls = \"starttls\"\nca_file = \"ca.pem\"\n",
		"a.users", "[users.\"a@domain1.com\"]\npassword = \"{PLAIN}x\"\n",
		"b.users", "[users.\"b@domain1.com\"]\nnologin = true\n",
		"c.users", "[users.\"c@domain1.com\"]\nupstream_password = \"x\"\n",
		"auth.key", "0123456789abcdef", "master", "hunter2",
		"ca.pem", certificate)
}

// A file whose mode lets everybody read it is only warned about if others can reach it.
func TestWarnsOfReaders(t *testing.T) {
	path := withSecrets(t)
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.Chmod(filepath.Join(dir, e.Name()), 0o644))
	}
	err = errors.Join(err, os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o755))
	if err != nil {
		t.Fatal(err)
	}
	if !othersCanRead(path) {
		t.Skipf("others cannot reach %s", os.TempDir())
	}
	want := []string{
		`m.toml:3: auth.secret.file: others can read auth.key: run "chmod o-r auth.key"`,
		`m.toml:13: servers.s.master.password_file: others can read master: run "chmod o-r master"`,
		`a.users:1: holds passwords, and others can read it: run "chmod o-r a.users"`,
		`c.users:1: holds passwords, and others can read it: run "chmod o-r c.users"`,
	}
	got := strings.Split(warnings(t, path), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if got := warnings(t, path); got != "" {
		t.Errorf("in a directory that others cannot enter: warnings %q", got)
	}
}

func TestFiles(t *testing.T) {
	path := withSecrets(t)
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range s.Files() {
		f.Where.What = f.Path
		got = append(got, strings.ReplaceAll(f.Where.Error(), filepath.Dir(path), "D"))
	}
	want := []string{
		"D/m.toml:1: D/m.toml", "D/m.toml:1: include: D", "D/m.toml:1: include: D/a.users", "D/m.toml:1: include: D/b.users", "D/m.toml:1: include: D/c.users",
		"D/m.toml:13: servers.s.master.password_file: D/master", "D/m.toml:16: servers.s.verify.ca_file: D/ca.pem", "D/m.toml:3: auth.secret.file: D/auth.key",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("files %q\nwant  %q", got, want)
	}
}

// certificate is one that nothing checks.
const certificate = `-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUb/nhB33a1v355YYXAbMuJnsbXdowCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKY2EuZXhhbXBsZTAgFw0yNjExMjcyMzQ5MjBaGA8yMTI2MTEw
MzIzNDkyMFowFTETMBEGA1UEAwwKY2EuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABCZL9z/Wg+XgL8Fj2bCMYO+EiJ2rgO7YMBYE7p0jPiEVV+4x3Ccd
nUoq6TYLbWc4PzbdMNf5qoKrKL352iNCMOSjUzBRMB0GA1UdDgQWBBShK69jDtMR
RJbzoWiZUEW3uzsbATAfBgNVHSMEGDAWgBShK69jDtMRRJbzoWiZUEW3uzsbATAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQC+I2KKx6+cAT42ecc4
tApOAqCXhQHPZwXSPm+5X8ovCAIgVU4zLZvNjieEE/1zXLpxwvlkB2vbbdanZ3g8
+GXJvXg=
-----END CERTIFICATE-----
`
