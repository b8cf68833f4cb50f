package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// write writes files to a new directory, and returns the path of the first one.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

const minimal = `
[listen]
http = ["127.0.0.1:8008"]
[servers.s]
host = "192.0.2.1"
[domains."domain1.com"]
servers = ["s"]
`

func TestDefaults(t *testing.T) {
	c, err := Load(write(t, "m.toml", minimal))
	if err != nil {
		t.Fatal(err)
	}
	s := c.Servers[0]
	if s.POP3 != 110 || s.IMAP != 143 || s.SMTP != 25 || s.ConnectTimeout != 5*time.Second || s.Timeout != 20*time.Second || s.VerifyProtocol != "same" {
		t.Errorf("server %+v", s)
	}
	if d := c.Domains.Find("domain1.com"); d.Verify != "upstream" {
		t.Errorf("verify = %q, want upstream, as auth.php did", d.Verify)
	}
	if c.Listen.Grace != 10*time.Second || c.Listen.Options.Mode != 0o660 {
		t.Errorf("listen %+v", c.Listen)
	}
	if c.FailureMessage != "Invalid login or password" || c.HashConcurrency < 1 {
		t.Errorf("auth %+v", c.Config)
	}
}

func TestIncludesMerge(t *testing.T) {
	c, err := Load(write(t,
		"m.toml", "include = [\"a.toml\", \"users.d/*.toml\", \"none/*.toml\"]\n[listen]\nhttp = [\"127.0.0.1:1\"]\n",
		"a.toml", "[servers.s]\nhost = \"2001:db8::1\"\n[domains.\"domain1.com\"]\nservers = [\"s\"]\n[log]\nformat = \"json\"\n",
		"users.d/1.toml", "[users.\"a@domain1.com\"]\npassword = \"{PLAIN}x\"\n",
		"users.d/2.toml", "[users.\"B@Domain1.com\"]\npassword = \"{PLAIN}x\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Users.Len() != 2 || c.Users.Lookup("b@domain1.com") == nil || c.Log.Format != "json" {
		t.Errorf("%d users, log %+v", c.Users.Len(), c.Log)
	}
}

func TestDuplicatesAreNamed(t *testing.T) {
	_, err := Load(write(t,
		"m.toml", "include = [\"1.toml\", \"2.toml\"]\n"+minimal,
		"1.toml", "[users.\"a@domain1.com\"]\npassword = \"{PLAIN}x\"\n",
		"2.toml", "\n[users.\"A@DOMAIN1.com\"]\npassword = \"{PLAIN}x\"\n[servers.s]\nhost = \"192.0.2.2\"\n"))
	want := []string{
		`2.toml:2: users."A@DOMAIN1.com": is the same user as users."a@domain1.com"`,
		`m.toml:5: rename or remove one of them`,
	}
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("error %v, want %q", err, w)
		}
	}
}

// No error repeats a password, whatever is wrong with its line.
func TestErrorsKeepSecrets(t *testing.T) {
	const secret = "hunter2"
	for i, line := range []string{
		"password = hunter2", `password = "hunter2`, `password = "{PLAIN}hunter2" hunter2`, `password = 'hunter2`,
		`password = "hunter2\q"`, `password = ["hunter2"]`, `password = {x = "hunter2"}`, `password = "hunter2"`,
		`password = "{hunter2 }x"`, `passwd = "hunter2"`, `password = 0xhunter2`, `password = 2026-hunter2`,
		`password = "\uhunter2"`, `password hunter2`, `password = hunter2 = 1`, "password = \"hunter2\x01\"",
		`password = """hunter2`, `password = +hunter2`, `password = 1hunter2`, `password = "{SHA512-CRYPT}hunter2"`,
	} {
		_, err := Load(write(t, "m.toml", minimal+"[users.\"a@domain1.com\"]\n"+line+"\n"))
		switch {
		case err == nil:
			t.Errorf("line %d loads", i)
		case strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "hunter"):
			t.Errorf("line %d: the error repeats it: %v", i, err)
		case !strings.Contains(err.Error(), "m.toml:9:") && !strings.Contains(err.Error(), "m.toml:10:"):
			t.Errorf("line %d: wrong position: %v", i, err)
		}
	}
}

func TestSectionsMustBeTables(t *testing.T) {
	for text, want := range map[string]string{
		"listen = 1":                                "m.toml:1: listen: want the table [listen], not a number",
		"servers = 1":                               `m.toml:1: servers: want tables with names, such as [servers."NAME"]`,
		"[[users]]":                                 `m.toml:1: users: want tables with names, such as [users."NAME"]`,
		"[auth]\nmethods = \"plain\"":               "m.toml:2: auth.methods: want an array such as [\"plain\"], not a string",
		"[auth]\nresponse_codes = \"yes\"":          "m.toml:2: auth.response_codes: want true or false, not a string",
		"[log]\nmax_size = 99999999999999999999":    "m.toml:2: not valid TOML: number out of range",
		"[log]\nmax_size = 1\nmax_size = 2":         "m.toml:3: not valid TOML: Key 'log.max_size' has already been defined.",
		"[users]\n\"a@domain1.com\" = \"x\"":        `m.toml:2: users."a@domain1.com": want the table [users."a@domain1.com"], not a string`,
		"a = 1\n[listen\nb = 1":                     "m.toml:2: not valid TOML: expected '.' or ']' to end table name",
		"a = 1\nb =\nc = 1":                         "m.toml:2: not valid TOML: expected value",
		"a = [\n1,\n":                               "m.toml:2: not valid TOML: unexpected EOF; expected value",
		"\x0f":                                      "m.toml:1: not valid TOML: TOML files cannot contain control characters",
		"a = 1\n\x0f":                               "m.toml:2: not valid TOML: TOML files cannot contain control characters",
		"[domains.domain1.com]\nverify = \"users\"": "m.toml:1: domains.domain1.com: unknown key; a name with dots needs quotes: [domains.\"domain1.com\"]",
		"[users.bob@domain1.com]":                   "m.toml:1: not valid TOML: expected '.' or ']' to end table name (a name with \"@\" needs quotes: [users.\"bob@example.com\"])",
		"[listen]\nmode = 0660":                     `m.toml:2: not valid TOML: Invalid integer … (a string needs quotes: key = "value")`,
		"[listen]\nmode = 660":                      "m.toml:2: listen.mode: want a string such as \"0660\", not a number",
		"[domains.\"*domain1.com\"]":                "m.toml:1: domains.\"*domain1.com\": want a domain such as \"example.com\", or \"*.example.com\" for all its subdomains",
		"[Log]\nfile = \"/x\"":                      "m.toml:1: Log: unknown key: did you mean \"log\"? (known: include, users_file, listen,",
	} {
		_, err := Load(write(t, "m.toml", text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%v\nwant %q", text, err, want)
		}
	}
}

func TestFileIsBounded(t *testing.T) {
	path := write(t, "m.toml", minimal)
	if err := os.Truncate(path, MaxFileSize+1); err != nil { // a sparse file on most file systems
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || err.Error() != path+": larger than 256 MiB" {
		t.Errorf("error %v", err)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	text := minimal
	for i := range 100 {
		text += fmt.Sprintf("[users.\"u%d@domain1.com\"]\npassword = \"x\"\n", i)
	}
	_, err := Load(write(t, "m.toml", text))
	if err == nil || strings.Count(err.Error(), "\n") != MaxErrors || !strings.HasSuffix(err.Error(), "and 80 more") {
		t.Errorf("error:\n%v", err)
	}
	var p Problem
	if !errors.As(err, &p) || p.Line != 9 {
		t.Errorf("first problem %+v, want line 9", p)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(minimal)
	f.Add("[users.\"a@b\"]\npassword = \"{PLAIN}x\"\nx = { a = { b = [1, {c=2}] } }\n[[servers]]\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "m.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err == nil && (c == nil || c.Users == nil || c.Domains == nil) {
			t.Error("loaded, but incomplete")
		}
	})
}
