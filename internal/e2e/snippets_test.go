package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSnippets checks that nginx and Apache load what administrators copy: the files in contrib/ and the code blocks
// in README.md.
func TestSnippets(t *testing.T) {
	t.Parallel()
	for _, server := range []struct {
		name string
		load func(testing.TB, string)
	}{
		{"nginx", loadNginx},
		{"apache", loadApache},
	} {
		t.Run(server.name, func(t *testing.T) {
			for _, file := range contribFiles(t, server.name) {
				t.Run(filepath.Base(file), func(t *testing.T) {
					server.load(t, readFile(t, file))
				})
			}
			t.Run("README", func(t *testing.T) {
				for i, block := range readmeBlocks(t, server.name) {
					t.Run(fmt.Sprint(i+1), func(t *testing.T) { server.load(t, block) })
				}
			})
		})
	}
}

// TestReadme logs in through each web server that README.md sets up between nginx's mail proxy and
// mailauthd. The files of contrib/ are what the other tests use.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, server := range []struct {
		name  string
		start func(testing.TB, site, string) *process
	}{
		{"nginx", startNginxHTTP},
		{"apache", startApache},
	} {
		t.Run(server.name, func(t *testing.T) {
			served := 0
			for _, block := range readmeBlocks(t, server.name) {
				if !strings.Contains(block, "/mail/auth.php") || strings.Contains(block, "auth_http") {
					continue
				}
				s := newSite(t, tempDir(t))
				startMailauthd(t, s, aliceTOML)
				server.start(t, s, block)
				checkAuthStatus(t, s, alice.user, alice.password, "OK")
				served++
			}
			if served == 0 {
				t.Error("no block serves /mail/auth.php")
			}
		})
	}
}

func contribFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repository, "contrib", dir, "*.conf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in contrib/%s (%v)", dir, err)
	}
	return files
}

// readmeBlocks returns the fenced blocks of README.md in a language.
func readmeBlocks(t *testing.T, language string) []string {
	t.Helper()
	blocks := fencedBlocks(readFile(t, repository, "README.md"), language)
	if len(blocks) == 0 {
		t.Fatalf("no block of %s in README.md", language)
	}
	return blocks
}

// fencedBlocks returns the fenced code blocks of a Markdown text in a language. A fence in a list may be indented.
func fencedBlocks(text, language string) []string {
	fenced := regexp.MustCompile("(?ms)^ *```" + language + "[^\n]*\n(.*?)^ *```")
	var blocks []string
	for _, match := range fenced.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

var (
	wholeNginx = regexp.MustCompile(`(?m)^\s*(mail|http|events)\s*\{`)
	mailNginx  = regexp.MustCompile(`(?m)^\s*(auth_http|protocol)\s`)
)

// loadNginx checks that nginx accepts a configuration. A part of one is put into mail {}, with an auth_http, or into
// http {}.
func loadNginx(tb testing.TB, config string) {
	tb.Helper()
	dir := tempDir(tb)
	s := newSite(tb, dir)
	config = s.relocate(tb, config)
	switch {
	case wholeNginx.MatchString(config):
	case mailNginx.MatchString(config):
		if !strings.Contains(withoutComments(config), "auth_http") {
			config = "auth_http " + s.auth + ";\n" + config
		}
		config = "mail {\n" + config + "\n}\n"
	default:
		config = inHTTP(config)
	}
	wantLoads(tb, program(tb, "nginx"), append(nginxArgs(tb, dir, config), "-t"))
}

func loadApache(tb testing.TB, config string) {
	tb.Helper()
	dir := tempDir(tb)
	config = newSite(tb, dir).relocateApache(tb, config)
	wantLoads(tb, apache(tb), append(apacheArgs(tb, dir, config), "-t"))
}

// wantLoads checks that a program succeeds without a warning.
func wantLoads(tb testing.TB, path string, args []string) {
	tb.Helper()
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil || strings.Contains(strings.ToLower(string(out)), "warn") {
		tb.Errorf("%s: %v\n%s", filepath.Base(path), err, out)
	}
}
