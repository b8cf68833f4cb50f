package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/auth"
)

const manualPage = "../../contrib/man/mailauthd.toml.5"

// manualKey is a key in the manual page: ".It Ic NAME Pq KIND, default PRESET" or ".It Ic NAME Pq KIND, required".
type manualKey struct {
	section, name string // such as "servers.NAME.verify" and "tls"
	kind          string
	preset        string // as TOML, "none", "required", or words
}

var manualItem = regexp.MustCompile(`^\.It Ic (\w+) Pq (.+?), (?:default (.+)|required)$`)

// manualKeys reads the keys of the manual page, and the sections that it has a heading for.
func manualKeys(t *testing.T) (keys map[string]manualKey, sections []string) {
	t.Helper()
	data, err := os.ReadFile(manualPage)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "\n.Sh KEYS\n")
	text, _, _ = strings.Cut(text, "\n.Sh ")
	keys = make(map[string]manualKey)
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.ReplaceAll(line, `\(dq`, `"`))
		if heading, ok := strings.CutPrefix(line, ".Ss ["); ok {
			section = strings.TrimSuffix(heading, "]")
			sections = append(sections, section)
		}
		if !strings.HasPrefix(line, ".It Ic ") {
			continue
		}
		m := manualItem.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%s: want .It Ic NAME Pq TYPE, default VALUE: %s", manualPage, line)
			continue
		}
		k := manualKey{section, m[1], m[2], m[3]}
		if k.preset == "" {
			k.preset = "required"
		}
		if _, again := keys[k.path()]; again {
			t.Errorf("%s has %s twice", manualPage, k.path())
		}
		keys[k.path()] = k
	}
	return keys, sections
}

func (k *manualKey) path() string { return strings.TrimPrefix(k.section+"."+k.name, ".") }

// keyTypes finds the keys of a table with the types of their values, and the sections that they stand in.
func keyTypes(table reflect.Type, section string, keys map[string]reflect.Type) (sections []string) {
	switch table.Kind() {
	case reflect.Pointer:
		return keyTypes(table.Elem(), section, keys)
	case reflect.Map:
		if table.Elem().Kind() == reflect.String { // names that the administrator chooses
			return nil
		}
		return keyTypes(table.Elem(), section+".NAME", keys)
	}
	if section != "" {
		sections = append(sections, section)
	}
	for _, f := range reflect.VisibleFields(table) {
		tag := f.Tag.Get("toml")
		if tag == "" {
			continue
		}
		path := strings.TrimPrefix(section+"."+tag, ".")
		isTable := kindOf(f.Type) == "table"
		if isTable {
			sections = append(sections, keyTypes(f.Type, path, keys)...)
		}
		if !isTable || section != "" {
			keys[path] = f.Type
		}
	}
	return sections
}

// kindOf is the type of a value in the words of the manual page.
func kindOf(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Pointer:
		return kindOf(t.Elem())
	case t == reflect.TypeFor[time.Time]():
		return "date"
	case t == reflect.TypeFor[[]string]():
		return "array of strings"
	}
	return map[reflect.Kind]string{
		reflect.String: "string", reflect.Int: "integer", reflect.Bool: "boolean",
		reflect.Struct: "table", reflect.Map: "table", reflect.Interface: "string or array",
	}[t.Kind()]
}

func TestManualHasEveryKey(t *testing.T) {
	documented, headings := manualKeys(t)
	known := make(map[string]reflect.Type)
	sections := keyTypes(reflect.TypeFor[content](), "", known)
	slices.Sort(sections)
	slices.Sort(headings)
	if !slices.Equal(headings, sections) {
		t.Errorf("%s has the sections %q, want %q", manualPage, headings, sections)
	}
	for path, kind := range known {
		k, ok := documented[path]
		if !ok {
			t.Errorf("%s does not have %s", manualPage, path)
		} else if want := kindOf(kind); k.kind != want && !(k.kind == "duration" && want == "string") {
			t.Errorf("%s: %s is of type %q, want %q", manualPage, path, k.kind, want)
		}
	}
	for path := range documented {
		if known[path] == nil {
			t.Errorf("%s has %s, which is no key", manualPage, path)
		}
	}
}

// manualBase is a configuration in which any key can be set to its default.
const manualBase = `
[listen]
fastcgi = ["unix:/nowhere/fastcgi.sock"]
http = ["127.0.0.1:8008"]
[auth]
[auth.secret]
header = "X-Auth-Key"
file = "secret"
[auth.external]
[resolver]
[cache]
[throttle]
[redis]
addresses = ["127.0.0.1:6379"]
secret_file = "secret"
[log]
[shadow]
url = "http://127.0.0.1:8009/mail/auth.php"
[servers.x]
host = "192.0.2.1"
[servers.x.verify]
[servers.x.master]
user = "proxy"
password_file = "secret"
[domains."x.example"]
servers = ["x"]
[users."x@x.example"]
password = "{PLAIN}x"
`

// manualPassdb is added to it for the keys of a passdb only, because each load then makes a hash.
const manualPassdb = `
[passdb.x]
driver = "ldap"
uris = ["ldaps://x.example"]
base = "dc=example"
filter = "(mail=%{user})"
`

// loadWith loads manualBase with another value of a key, or without the key.
func loadWith(t *testing.T, k manualKey, value string) (*Config, error) {
	t.Helper()
	names := strings.NewReplacer("servers.NAME", "servers.x", "passdb.NAME", "passdb.x", "domains.NAME", `domains."x.example"`, "users.NAME", `users."x@x.example"`)
	header := "\n"
	if k.section != "" {
		header = "\n[" + names.Replace(k.section) + "]\n"
	}
	base := manualBase
	if strings.HasPrefix(k.section, "passdb.") {
		base += manualPassdb
	}
	before, after, ok := strings.Cut(base, header)
	if !ok {
		t.Fatalf("no section %s in the base", k.section)
	}
	table, rest, more := strings.Cut(after, "\n[")
	if more {
		rest = "\n[" + rest
	}
	table = regexp.MustCompile(`(?m)^`+k.name+` = .*$`).ReplaceAllString(table, "")
	if value != "" {
		table = k.name + " = " + value + "\n" + table
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "0123456789abcdef\n", "m.toml": before + header + table + rest} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "m.toml"))
	if err == nil {
		c.Warnings, c.AccountErr, c.names = nil, nil, nil // they have line numbers
		c.Secret.file = ""                                // it is in another directory each time
		for i, p := range c.Passdbs {
			c.Close()
			c.Passdbs[i] = &auth.Passdb{Name: p.Name, MaxConnections: p.MaxConnections, Settings: p.Settings} // functions are never equal
		}
	}
	return c, err
}

// TestManualShowsDefaults sets each key to the default that the manual page has for it: that changes nothing.
func TestManualShowsDefaults(t *testing.T) {
	documented, _ := manualKeys(t)
	known := make(map[string]reflect.Type)
	keyTypes(reflect.TypeFor[content](), "", known)
	for _, path := range slices.Sorted(maps.Keys(documented)) {
		if k := documented[path]; known[path] != nil && k.kind != "table" {
			t.Run(path, func(t *testing.T) { k.checkDefault(t, known[path]) })
		}
	}
}

func (k manualKey) checkDefault(t *testing.T, of reflect.Type) {
	without, err := loadWith(t, k, "")
	if k.preset == "required" {
		if err == nil {
			t.Error("loads without it")
		}
		return
	}
	if err != nil {
		t.Fatalf("without it: %v", err)
	}
	value := k.preset
	switch {
	case value == fmt.Sprintf("the number of CPUs, at most %d", maxDefaultHashes):
		value = fmt.Sprint(defaults().Auth.HashConcurrency)
	case value != "none":
	case of.Kind() == reflect.String, of.Kind() == reflect.Pointer && of.Elem().Kind() == reflect.String:
		value = `""`
	case of.Kind() == reflect.Slice && !strings.Contains(k.section, "NAME"):
		value = "[]"
	case of.Kind() == reflect.Int, of.Kind() == reflect.Bool:
		t.Fatal("a key that is a number or a boolean has a default")
	default:
		return // nothing else says that it is absent
	}
	with, err := loadWith(t, k, value)
	if err == nil {
		with.shared = without.shared // a checksum
	}
	switch {
	case err != nil && k.preset == "none": // an empty value may be an error, and so is not the default
	case err != nil:
		t.Errorf("with %s: %v", value, err)
	case !reflect.DeepEqual(with, without):
		t.Errorf("%s is not the default: it makes\n%+v\nwithout it\n%+v", value, with, without)
	}
}
