package config

import (
	"strings"
	"testing"
	"time"
)

const userBase = `
[listen]
http = ["127.0.0.1:8008"]
[auth]
methods = ["plain", "cram-md5", "external"]
[servers.s]
host = "192.0.2.1"
[servers.t]
host = "192.0.2.2"
[domains."domain1.com"]
servers = ["s"]
mx = ["t"]
verify = "users"
`

func TestUserKeys(t *testing.T) {
	c, err := Load(write(t, "m.toml", userBase+`
protocols = ["imap", "pop3"]
[users."Alice@domain1.com"]
password = ["{PLAIN}x", { hash = "{PLAIN}y", label = "phone", protocols = ["imap"] }]
servers = ["t"]
login = "ALICE"
upstream_password = "up"
aliases = ["Info@domain1.com"]
allow_nets = ["192.0.2.1", "2001:db8::/32"]
require_tls = true
expires = 2100-01-01
fingerprint = "AB:CD:ef:`+strings.Repeat("00:", 16)+`01"
subject = ["CN=alice", "CN=a"]
master = true
`))
	if err != nil {
		t.Fatal(err)
	}
	u := c.Users.Lookup("info@domain1.com")
	if u == nil {
		t.Fatal("no user")
	}
	s := u.Settings()
	if u.Name != "alice@domain1.com" || s.Login != "ALICE" || s.UpstreamPassword != "up" || !s.Master || !c.Users.HasMasters() {
		t.Fatalf("user %+v", u)
	}
	if len(u.Passwords) != 2 || u.Passwords[1].Label != "phone" || len(u.Passwords[1].Protocols) != 1 {
		t.Errorf("passwords %+v", u.Passwords)
	}
	if s.Servers[0] != "t" || s.Fingerprints[0] != "abcdef"+strings.Repeat("00", 16)+"01" || len(s.Subjects) != 2 {
		t.Errorf("servers %v, fingerprints %v, subjects %v", s.Servers, s.Fingerprints, s.Subjects)
	}
	if a := s.Access; len(a.AllowNets) != 2 || !*a.RequireTLS || a.Expires.Year() != 2100 || a.Protocols != nil {
		t.Errorf("rules %+v", a)
	}
	if d := c.Domains.Find("domain1.com"); len(d.Access.Protocols) != 2 {
		t.Errorf("rules of the domain %+v", d.Access)
	}
	if len(c.Warnings) != 2 || !strings.Contains(c.Warnings[0].Error(), `.master: nginx has no password for server "s"`) {
		t.Errorf("warnings %v", c.Warnings)
	}
}

func TestUserKeysRefused(t *testing.T) {
	const secret = "hunter2"
	for line, want := range map[string]string{
		`password = 5`:                                             "password: entry 1: want a string such as",
		`password = [["hunter2"]]`:                                 "password: entry 1: want a string such as",
		`password = [{ label = "hunter2" }]`:                       "password: entry 1: hash is missing",
		`password = [{ hash = "{PLAIN}x", pass = 1 }]`:             "password.pass: unknown key (known: hash, label, protocols)",
		`password = "{MD5}hunter2"`:                                "scheme MD5 is weak: set allow_weak_schemes = true in [auth]",
		`password = "{PLAIN}hunter2\n"`:                            "holds CR, LF or NUL",
		`password = "{CLEAR}` + strings.Repeat("x", 1025) + `"`:    "longer than 1024 bytes, so no client can log in with it",
		"servers = [\"nobody\"]\npassword = \"{PLAIN}x\"":          "servers: entry 1: no such server (known: s, t)",
		"servers = [\"s\", \"t\", \"s\"]\npassword = \"{PLAIN}x\"": `servers: entry 3: server "s" is already in the list`,
		"protocols = [\"http\"]\npassword = \"{PLAIN}x\"":          "protocols: entry 1: want one of \"imap\", \"pop3\", \"smtp\"",
		"allow_nets = [\"x\"]\npassword = \"{PLAIN}x\"":            "allow_nets: entry 1: want an address or a network",
		"aliases = [\"b@domain1.com\"]\npassword = \"{PLAIN}x\"\n[users.\"b@domain1.com\"]\npassword = \"{PLAIN}x\"": `the same user as users."a@domain1.com"`,
		"login = \" x\"\npassword = \"{PLAIN}x\"":                                             "login: begins or ends with a space",
		"upstream_password = \"hunter2\\n\"":                                                  "upstream_password: holds CR, LF or NUL",
		`fingerprint = "hunter2"`:                                                             "fingerprint: entry 1: want the certificate's SHA-1 fingerprint",
		"protocols = []\npassword = \"{PLAIN}x\"":                                             "protocols: is empty",
		"deny_nets = [\"192.0.2.0/33\"]\npassword = \"{PLAIN}x\"":                             "deny_nets: entry 1: want an address or a network",
		"allow_nets = []\npassword = \"{PLAIN}x\"":                                            "allow_nets: is empty",
		`password = "{hunter2}"`:                                                              "password: unknown scheme, and no value after it",
		`password = [{ hash = "{PLAIN}x", label = "a" }, { hash = "{PLAIN}y", label = "a" }]`: "password: entry 2: an earlier entry has the same label",
		`master = true`:    "password: is missing",
		`reason = "x"`:     "password: is missing",
		`expires = "soon"`: "m.toml:",
	} {
		_, err := Load(write(t, "m.toml", userBase+"[users.\"a@domain1.com\"]\n"+line+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s:\n%v\nwant %q", line, err, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	past := time.Now().AddDate(-1, 0, 0).Format(time.DateOnly)
	for line, want := range map[string]string{
		"password = \"{PLAIN}x\"\nexpires = " + past:        "expires: is in the past",
		"password = \"{PLAIN}x\"\nreason = \"x\"":           "reason: has no effect without nologin",
		"password = \"{PLAIN}x \"":                          "begins or ends with a space or tab",
		"fingerprint = \"" + strings.Repeat("0", 40) + "\"": "after cram-md5 or external, nginx has no password for server \"s\"",
	} {
		c, err := Load(write(t, "m.toml", userBase+"[users.\"a@domain1.com\"]\n"+line+"\n"))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Error(), want) || c.Warnings[0].Line < 13 {
			t.Errorf("%s: warnings %v, want %q", line, c.Warnings, want)
		}
	}
}

// A cleartext password that does not fit into the response makes cram-md5, apop and external logins
// temporary failures. Such an upstream_password makes every login one.
func TestLongPasswords(t *testing.T) {
	password := func(key string, n int) string { return key + strings.Repeat("x", n) + "\"\n" }
	const plain, upstream = `password = "{PLAIN}`, `upstream_password = "`
	for _, tt := range []struct{ lines, want string }{
		{password(plain, 472), ""},
		{password(plain, 473), ".password: is longer than 472 bytes, so it may be too long to be sent to nginx: choose a shorter one, or only plain logins may work"},
		{password(`password = "{cleartext}`, 560), ".password: is longer than 472 bytes"},
		{`password = ["{PLAIN}x", { label = "phone", hash = "{CLEAR}` + strings.Repeat("x", 560) + `" }]`, ".password: is longer than 472 bytes"},
		{password(plain, 472) + `login = "alice@domain1.com"`, ".password: is longer than 468 bytes"},
		{password(plain, 472) + `login = "a"`, ""},
		{password(plain, 560) + password(upstream, 472), ""},
		{password(plain, 1) + password(upstream, 473), ".upstream_password: is longer than 472 bytes, so it may be too long to be sent to nginx: choose a shorter one"},
	} {
		c, err := Load(write(t, "m.toml", userBase+"[users.\"a@domain1.com\"]\n"+tt.lines+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) != min(1, len(tt.want)) || tt.want != "" && !strings.Contains(c.Warnings[0].Error(), tt.want) {
			t.Errorf("%.40s: warnings %v, want %q", tt.lines, c.Warnings, tt.want)
		}
	}
}

func TestMaster(t *testing.T) {
	text := strings.Replace(userBase, "[servers.t]", "[servers.s.master]\nuser = \"proxy\"\npassword_file = \"s.master\"\n[servers.t]", 1)
	c, err := Load(write(t, "m.toml", text, "s.master", "secret\nand a comment\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Servers[0].Master; m.Password != "secret" || m.Login("bob@domain1.com") != "bob@domain1.com*proxy" {
		t.Errorf("master %q", m.User)
	}
	if _, err := Load(write(t, "m.toml", text)); err == nil || !strings.Contains(err.Error(), "/s.master cannot be read: no such file") {
		t.Errorf("without the file: %v", err)
	}
	if _, err := Load(write(t, "m.toml", text, "s.master", "\n")); err == nil || !strings.Contains(err.Error(), "the file's first line is empty") {
		t.Errorf("with an empty file: %v", err)
	}
}

func TestMethodWarnings(t *testing.T) {
	for _, tt := range []struct{ auth, want string }{
		{`methods = ["none"]`, `m.toml:3: auth.methods: "none" refuses mail to "postmaster" without a domain`},
		{"methods = [\"none\"]\ndefault_domain = \"domain1.com\"", ""},
		{"methods = [\"external\"]", ""},
		{"methods = [\"external\"]\n[auth.external]\nuser_from = \"CN\"", `m.toml:5: auth.external.user_from: nginx has no password for server "s"`},
		{"[auth.external]\nuser_from = \"CN\"", ""},
	} {
		c, err := Load(write(t, "m.toml", "listen.http = [\"127.0.0.1:8008\"]\n[auth]\n"+tt.auth+`
[servers.s]
host = "192.0.2.1"
[servers.t]
host = "192.0.2.2"
master = { user = "m", password_file = "m.toml" }
[domains."domain1.com"]
servers = ["s"]
mx = ["t"]
`))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) > 1 || (tt.want == "") != (len(c.Warnings) == 0) || tt.want != "" && !strings.Contains(c.Warnings[0].Error(), tt.want) {
			t.Errorf("%s: warnings %v; want %s", tt.auth, c.Warnings, tt.want)
		}
	}
}

// Patterns skip what a shell's "*" skips, such as the temporary files of editors.
func TestPatternsSkipDotFiles(t *testing.T) {
	path := write(t, "m.toml", "include = [\"*.d\", \".h*\"]\nlisten.http = [\"127.0.0.1:8008\"]\n", ".x.d", "no TOML", ".hidden", "servers.s.host = \"192.0.2.1\"\n")
	if c, err := Load(path); err != nil || len(c.Servers) != 1 {
		t.Errorf("%v", err)
	}
}

func TestSecret(t *testing.T) {
	for _, tt := range []struct{ auth, key, want string }{
		{`secret = { header = "X-Auth-Key", file = "key" }`, "0123456789abcdef\n\n0123456789abcdeg\r\n", ""},
		{`secret = { header = "X-Auth-Key", file = "key" }`, "hunter2\n", "auth.secret.file: value 1 must be from 16 to 512 bytes long"},
		{`secret = { header = "X-Auth-Key", file = "key" }`, "", "auth.secret.file: must hold from 1 to 8 values"},
		{`secret = { header = "X-Auth-Key", file = "none" }`, "", "/none cannot be read: no such file"},
		{`secret = { header = "X-Auth-Key" }`, "", "auth.secret.file: is missing"},
		{`secret = { header = "X Auth", file = "key" }`, "0123456789abcdef", "auth.secret.header: want the name of a header"},
		{`client_ip = "X-Forwarded-For"`, "", "auth.client_ip: want one of \"Client-IP\", \"Proxy-Protocol-Addr\""},
		{`client_ip = "Proxy-Protocol-Addr"`, "", ""},
	} {
		_, err := Load(write(t, "m.toml", "listen.http = [\"127.0.0.1:8008\"]\n[auth]\n"+tt.auth+"\n", "key", tt.key))
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v; want %q", tt.auth, err, tt.want)
		}
	}
}

func TestWarnsOfOpenListeners(t *testing.T) {
	for listeners, want := range map[string]string{
		`http = ["0.0.0.0:8008"]`:                                      "listen.http: entry 1 is not on a loopback address",
		`fastcgi = ["192.0.2.1:9000"]`:                                 "listen.fastcgi: entry 1 is not on a loopback address",
		`http = ["127.0.0.1:8008", "[::1]:8008"]`:                      "",
		"http = [\"0.0.0.0:8008\"]\nallowed_clients = [\"192.0.2.1\"]": "",
		`fastcgi = ["unix:/run/x.sock"]`:                               "",
	} {
		c, err := Load(write(t, "m.toml", "[listen]\n"+listeners+strings.Split(minimal, "8008\"]")[1]))
		if err != nil || (want == "") != (len(c.Warnings) == 0) || want != "" && !strings.Contains(c.Warnings[0].Error(), want) {
			t.Errorf("%s: %v, %v; want %q", listeners, c, err, want)
		}
	}
}
