package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// manualPages are the sources of the manual pages, at least one for each program.
func manualPages(t *testing.T) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(repository, "contrib", "man", "*.[158]"))
	if err != nil || len(pages) < 3 {
		t.Fatalf("manual pages %q, %v", pages, err)
	}
	return pages
}

func TestManualPagesAreClean(t *testing.T) {
	mandoc := program(t, "mandoc")
	for _, page := range manualPages(t) {
		if out, err := exec.Command(mandoc, "-T", "lint", "-W", "warning", page).CombinedOutput(); err != nil {
			t.Errorf("mandoc: %v\n%s", err, out)
		}
	}
}

// installed are files of make install with their modes, 0 for those that depend on the umask.
var installed = map[string]os.FileMode{
	"opt/bin/mailauthd":                                      0o755,
	"opt/bin/md5cram":                                        0o755,
	"opt/lib/systemd/system/mailauthd.service":               0o644,
	"opt/lib/systemd/system/mailauthd.socket":                0o644,
	"opt/lib/systemd/system/mailauthd-http.socket":           0o644,
	"opt/lib/sysusers.d/mailauthd.conf":                      0o644,
	"opt/share/bash-completion/completions/mailauthd":        0o644,
	"opt/share/zsh/site-functions/_mailauthd":                0o644,
	"opt/share/fish/vendor_completions.d/mailauthd.fish":     0o644,
	"opt/share/man/man1/md5cram.1":                           0o644,
	"opt/share/man/man5/mailauthd.toml.5":                    0o644,
	"opt/share/man/man8/mailauthd.8":                         0o644,
	"opt/share/doc/mailauthd/README.md":                      0o644,
	"opt/share/doc/mailauthd/RELEASE-NOTES.md":               0o644,
	"opt/share/doc/mailauthd/conf/mailauthd.toml":            0o644,
	"opt/share/doc/mailauthd/nginx/mail.conf":                0,
	"opt/share/doc/mailauthd/fail2ban/jail.d/mailauthd.conf": 0,
	"opt/share/doc/mailauthd/rsyslog/mailauthd.conf":         0,
	"opt/share/doc/mailauthd/vector/mailauthd.yaml":          0,
	"etc/mailauthd/mailauthd.toml":                           0o640,
	"etc/mailauthd/servers.toml":                             0o640,
	"etc/mailauthd/users.toml":                               0o640,
}

// TestMakeInstall installs twice, as for a package: the second time the configuration is there already.
func TestMakeInstall(t *testing.T) {
	t.Parallel()
	program(t, "make")
	built, to := tempDir(t), tempDir(t)
	for _, name := range []string{"mailauthd", "md5cram"} {
		if err := os.WriteFile(filepath.Join(built, name), []byte("a program"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	makeInstall(t, built, to)
	for path, mode := range installed {
		info, err := os.Stat(filepath.Join(to, path))
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); mode != 0 && got != mode {
			t.Errorf("%s has mode %v, want %v", path, got, mode)
		}
	}
	checkInstalledPages(t, to)
	checkWebGroup(t, to)
	checkLinks(t, repository, "README.md")
	checkLinks(t, filepath.Join(to, "opt/share/doc/mailauthd"), "README.md")
	for line := range strings.Lines(readFile(t, to, "etc/mailauthd/users.toml")) {
		if line != "\n" && line[0] != '#' {
			t.Errorf("a sample user is installed: %s", line)
		}
	}
	writeFile(t, filepath.Join(to, "etc/mailauthd"), "mailauthd.toml", "# mine\n")
	makeInstall(t, built, to)
	if text := readFile(t, to, "etc/mailauthd/mailauthd.toml"); text != "# mine\n" {
		t.Error("make install has overwritten a configuration")
	}
}

func checkInstalledPages(t *testing.T, to string) {
	t.Helper()
	for _, page := range manualPages(t) {
		name := filepath.Base(page)
		installed := readFile(t, to, "opt/share/man/man"+name[len(name)-1:], name)
		if want := strings.ReplaceAll(readFile(t, page), "/usr/local", "/opt"); installed != want {
			t.Errorf("%s is not the page of the source tree with another prefix", name)
		}
	}
}

// checkWebGroup looks for the web server's group where the service and its configuration name it.
func checkWebGroup(t *testing.T, to string) {
	t.Helper()
	for path, want := range map[string]string{
		"opt/lib/systemd/system/mailauthd.service": "SupplementaryGroups=http\n",
		"etc/mailauthd/mailauthd.toml":             "group = \"http\"\n",
	} {
		if text := readFile(t, to, path); !strings.Contains(text, "\n"+want) {
			t.Errorf("%s has no line %s", path, want)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)\)`)

// checkLinks looks for the files that a document has links to.
func checkLinks(t *testing.T, dir, name string) {
	t.Helper()
	links := link.FindAllStringSubmatch(readFile(t, dir, name), -1)
	if len(links) < 5 {
		t.Errorf("%s has %d links to files", name, len(links))
	}
	for _, l := range links {
		if _, err := os.Stat(filepath.Join(dir, l[1])); err != nil {
			t.Errorf("link in %s: %v", name, err)
		}
	}
}

func makeInstall(t *testing.T, built, to string) {
	t.Helper()
	cmd := exec.Command("make", "install", "RUN="+built, "DESTDIR="+to, "PREFIX=/opt", "SYSCONFDIR=/etc", "WEBGROUP=http")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make install: %v\n%s", err, out)
	}
}
