package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

const root = "../.."

func TestSamplesLoad(t *testing.T) {
	c, err := Load(filepath.Join(root, "conf", "mailauthd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Servers) == 0 || c.Domains.Len() == 0 || c.Users.Len() == 0 {
		t.Errorf("the samples hold %d servers, %d domains, %d users", len(c.Servers), c.Domains.Len(), c.Users.Len())
	}
}

// The main sample shows the default of each key.
func TestSampleShowsDefaults(t *testing.T) {
	f, err := new(loader).readFile(filepath.Join(root, "conf", "mailauthd.toml"))
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	if got := f.content.Auth; got.FailureMessage != want.Auth.FailureMessage || strings.Join(got.Methods, " ") != strings.Join(want.Auth.Methods, " ") || got.ResponseCodes != want.Auth.ResponseCodes {
		t.Errorf("[auth] of the sample: %+v, defaults %+v", got, want.Auth)
	}
	want.Log.Timezone = f.content.Log.Timezone // the sample's is not the default
	if f.content.Log != want.Log {
		t.Errorf("[log] of the sample: %+v, defaults %+v", f.content.Log, want.Log)
	}
	if f.content.Listen.Grace != want.Listen.Grace || f.content.Listen.Mode != want.Listen.Mode {
		t.Errorf("[listen] of the sample: %+v, defaults %+v", f.content.Listen, want.Listen)
	}
}

// The samples have every key, some of them in comments.
func TestSamplesShowEveryKey(t *testing.T) {
	var text strings.Builder
	for _, name := range []string{"mailauthd.toml", "servers.toml", "users.toml"} {
		data, err := os.ReadFile(filepath.Join(root, "conf", name))
		if err != nil {
			t.Fatal(err)
		}
		text.Write(data)
	}
	var walk func(s *schema)
	walk = func(s *schema) {
		if s == nil {
			return
		}
		walk(s.each)
		for key, inner := range s.keys {
			if inner == nil && !regexp.MustCompile(`(?m)(^|[ #])`+key+` *= `).MatchString(text.String()) {
				t.Errorf("no sample has the key %q", key)
			}
			walk(inner)
		}
	}
	walk(wholeFile)
}

// base completes the configuration of a snippet that shows only some sections.
var base = map[string]string{
	"listen":  "[listen]\nhttp = [\"127.0.0.1:8008\"]\n",
	"servers": "[servers.axigen1]\nhost = \"192.0.2.1\"\n[servers.dovecot1]\nhost = \"192.0.2.2\"\n",
	"domains": "[domains.\"domain1.com\"]\nservers = [\"axigen1\"]\n[domains.\"domain02.com\"]\nservers = [\"axigen1\"]\nverify = \"users\"\n",
}

func TestDocumentedSnippetsLoad(t *testing.T) {
	snippets := tomlSnippets(t)
	if len(snippets) < 3 {
		t.Fatalf("%d TOML snippets in README.md and contrib, want at least 3", len(snippets))
	}
	for name, snippet := range snippets {
		var has map[string]any
		if _, err := toml.Decode(snippet, &has); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		whole := snippet
		for section, text := range base {
			if has[section] == nil {
				whole += "\n" + text
			}
		}
		path := filepath.Join(t.TempDir(), "snippet.toml")
		if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err != nil {
			t.Errorf("%s:\n%v\n%s", name, err, whole)
		}
	}
}

var fenced = regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")

// tomlSnippets finds TOML files and fenced blocks in the documentation.
func tomlSnippets(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	files := []string{filepath.Join(root, "README.md")}
	err := filepath.WalkDir(filepath.Join(root, "contrib"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Ext(path) == ".toml" {
			found[path] = string(data)
		}
		if filepath.Ext(path) == ".md" {
			for _, m := range fenced.FindAllSubmatchIndex(data, -1) {
				line := strings.Count(string(data[:m[0]]), "\n") + 1
				found[fmt.Sprintf("%s:%d", path, line)] = string(data[m[2]:m[3]])
			}
		}
	}
	return found
}
