package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/tomledit"
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
	if c.Log.Timezone != "" { // packages install the sample, and start the service with it
		t.Errorf("the sample has the time zone %s, want the system's", c.Log.Timezone)
	}
}

var samples = []string{"mailauthd.toml", "servers.toml", "users.toml"}

// commentedKey is a line of a sample that would be a key or a header if it were no comment; in users.toml they are
// indented.
var (
	commentedKey  = regexp.MustCompile(`(?m)^#(\[[a-z].*\]|[a-z][a-z0-9_]* *= )`)
	commentedUser = regexp.MustCompile(`(?m)^#   ([a-z_]+ +=)`)
)

// uncommented is a sample in which every key counts.
func uncommented(text string) string {
	text = commentedKey.ReplaceAllString(text, "$1")
	if at := commentedUser.FindStringIndex(text); at != nil {
		text = text[:at[0]] + "[users.\"every@domain02.com\"]\n" + commentedUser.ReplaceAllString(text[at[0]:], "$1")
	}
	return text
}

// The samples have every key in its section, if only in a comment, and no other key.
func TestSamplesShowEveryKey(t *testing.T) {
	known := make(map[string]reflect.Type)
	keyTypes(reflect.TypeFor[content](), "", known)
	for _, name := range samples {
		path := filepath.Join(root, "conf", name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := uncommented(string(data))
		f, err := (&loader{edited: path, doc: []byte(text)}).readFile(path)
		if err != nil {
			t.Fatalf("with all comments that are keys: %v", err)
		}
		for _, p := range f.unknown {
			t.Error(p)
		}
		meta, err := toml.Decode(text, new(map[string]any))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range meta.Keys() {
			if len(key) > 1 && wholeFile.isNamed(key[0]) {
				key[1] = "NAME"
			}
			delete(known, strings.Join(key, "."))
		}
	}
	for key := range known {
		t.Errorf("no sample has the key %q", key)
	}
}

// saysDefault matches a comment that names another default than the value below it.
var saysDefault = regexp.MustCompile(`(?i)\bdefault(:| is )`)

// The samples show the defaults, or say in a comment what the default is. That holds for the first server and domain;
// users have none.
func TestSamplesShowDefaults(t *testing.T) {
	documented, _ := manualKeys(t)
	checked := 0
	for _, name := range samples[:2] {
		data, err := os.ReadFile(filepath.Join(root, "conf", name))
		if err != nil {
			t.Fatal(err)
		}
		var tables map[string]any
		meta, err := toml.Decode(string(data), &tables)
		if err != nil {
			t.Fatal(err)
		}
		first := make(map[string]string)
		for _, key := range meta.Keys() {
			path := slices.Clone(key)
			if len(key) > 1 && wholeFile.isNamed(key[0]) {
				if first[key[0]] == "" {
					first[key[0]] = key[1]
				}
				if first[key[0]] != key[1] {
					continue
				}
				path[1] = "NAME"
			}
			k, ok := documented[strings.Join(path, ".")]
			if !ok || k.kind == "table" || k.preset == "required" {
				continue
			}
			checked++
			if value := valueOf(tables, key); !isDefault(t, value, k.preset) && !saysDefault.MatchString(commentOf(string(data), key)) {
				t.Errorf("%s: %s = %v is not the default, %s, and no comment says \"Default: …\"", name, key, value, k.preset)
			}
		}
	}
	if checked < 50 {
		t.Errorf("%d keys in the samples", checked)
	}
}

func valueOf(tables map[string]any, key toml.Key) any {
	for _, name := range key[:len(key)-1] {
		tables = tables[name].(map[string]any)
	}
	return tables[key[len(key)-1]]
}

// isDefault compares a value with a default of the manual page.
func isDefault(t *testing.T, value any, preset string) bool {
	t.Helper()
	if preset == "none" {
		return reflect.ValueOf(value).IsZero() || fmt.Sprint(value) == "[]"
	}
	var want struct{ X any }
	if _, err := toml.Decode("x = "+preset, &want); err != nil {
		t.Errorf("default %s: %v", preset, err)
	}
	got, err := time.ParseDuration(fmt.Sprint(value))
	if wanted, _ := time.ParseDuration(fmt.Sprint(want.X)); err == nil && got == wanted {
		return true // "60s" is "1m"
	}
	return reflect.DeepEqual(value, want.X)
}

// commentOf is the comment above a key, or above the keys that it stands together with.
func commentOf(text string, key toml.Key) string {
	lines := strings.Split(text, "\n")[:tomledit.NewLines([]byte(text)).Line(key)-1]
	for len(lines) > 0 && lines[len(lines)-1] != "" && !strings.HasPrefix(lines[len(lines)-1], "#") {
		lines = lines[:len(lines)-1]
	}
	begin := len(lines)
	for begin > 0 && strings.HasPrefix(lines[begin-1], "#") {
		begin--
	}
	return strings.Join(lines[begin:], "\n")
}

// base makes a whole configuration of a snippet that shows only some sections.
var base = map[string]string{
	"listen":  "[listen]\nhttp = [\"127.0.0.1:8008\"]\n",
	"servers": "[servers.axigen1]\nhost = \"192.0.2.1\"\n[servers.dovecot1]\nhost = \"192.0.2.2\"\n",
	"domains": "[domains.\"domain1.com\"]\nservers = [\"axigen1\"]\n[domains.\"domain02.com\"]\nservers = [\"axigen1\"]\nverify = \"users\"\n",
}

// named are the files that snippets name.
var named = map[string]string{
	"postfixadmin.dsn": "mailauthd:secret@unix(/run/mysqld/mysqld.sock)/postfix\n",
	"ldap.pass":        "secret\n",
	"corp-ca.pem":      certificate,
	"redis.pass":       "secret\n",
	"redis.secret":     redisSecret + "\n",
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
		dir := t.TempDir()
		path := filepath.Join(dir, "snippet.toml")
		for file, text := range named {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err != nil {
			t.Errorf("%s:\n%v\n%s", name, err, whole)
		}
	}
}

// blocks are the parts of documents that are TOML, by the ends of their names.
var blocks = map[string]*regexp.Regexp{
	".md": regexp.MustCompile("(?ms)^```toml\n(.*?)^```$"),
	".5":  regexp.MustCompile(`(?ms)^\.Bd -literal\n(.*?)^\.Ed$`),
}

// tomlSnippets finds TOML files and blocks in the documentation.
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
		if block := blocks[filepath.Ext(path)]; block != nil {
			for _, m := range block.FindAllSubmatchIndex(data, -1) {
				line := strings.Count(string(data[:m[0]]), "\n") + 1
				found[fmt.Sprintf("%s:%d", path, line)] = string(data[m[2]:m[3]])
			}
		}
	}
	return found
}
