package config

import (
	"context"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/route"
)

func TestMessages(t *testing.T) {
	for text, want := range map[string]string{
		"[servers.s.verify]\ntls = true":         `servers.s.verify.tls: want one of "none", "starttls", "implicit", not true or false`,
		"[servers.s]\nverify = 1":                "servers.s.verify: want the table [servers.s.verify], not a number",
		"[domains.\"a.example\"]\nverify = true": `domains."a.example".verify: want one of "upstream", "users", not true or false`,
		"[auth]\nmethods = [1]":                  `auth.methods: want an array such as ["plain"], not a number (known: plain, cram-md5, apop, external, none)`,
		"[log]\nformat = 1":                      `log.format: want one of "legacy", "logfmt", "json", not a number`,

		"[throttle]\nhalf_life = 60":               `throttle.half_life: want a duration such as "60s", not a number`,
		"[throttle]\nhalf_life = 1.5":              `throttle.half_life: want a duration such as "1.5s", not a number with a fraction`,
		"[throttle]\nhalf_life = \"90\"":           `throttle.half_life: want a duration, such as "90s"`,
		"[throttle]\nhalf_life = true":             `throttle.half_life: want a duration such as "5s" or "500ms", not true or false`,
		"[servers.s.verify]\nconnect_timeout = -1": `servers.s.verify.connect_timeout: want a duration such as "5s" or "500ms", not a number`,

		"[listen]\ninclude = [\"a.toml\"]": "listen.include: unknown key; it belongs to no section: move it above the first [section] (known: ",
		"[listen]\nformat = \"json\"":      "listen.format: unknown key; it belongs to [log] (known: fastcgi,",
		"format = \"json\"":                "format: unknown key; it belongs to [log] (known: include,",
		"[servers.s]\ntimeout = \"5s\"":    "servers.s.timeout: unknown key; it belongs to [servers.s.verify] (known: ",
		"[servers.s]\nrequire_tls = true":  "servers.s.require_tls: unknown key; it belongs to [auth] or [domains.NAME] or [users.NAME] (known: ",
		"[verify]\ntls = \"none\"":         "verify: unknown key; it belongs to [servers.NAME] (known: ",

		"[domain.\"a.example\"]":                          `domain: unknown key: did you mean "domains"? (known: `,
		"[listen]\nfastcig = []":                          `listen.fastcig: unknown key: did you mean "fastcgi"? (known: `,
		"[log]\nmax-size = 1":                             `log.max-size: unknown key: did you mean "max_size"? (known: `,
		"[servers.s.verfy]\ntls = \"none\"":               `servers.s.verfy: unknown key: did you mean "verify"? (known: `,
		"[domains.\"a.example\"]\nprotocol = \"imap\"":    `domains."a.example".protocol: unknown key: did you mean "protocols"? (known: `,
		"[listen]\nx = 1":                                 "listen.x: unknown key (known: ",
		"[listen]\n" + strings.Repeat("x", 1000) + " = 1": "x: unknown key (known: ",
	} {
		_, err := Load(write(t, "m.toml", text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%v\nwant %q", text, err, want)
		}
	}
}

func TestDuplicatesAcrossFiles(t *testing.T) {
	_, err := Load(write(t,
		"m.toml", "include = [\"a.toml\"]\n"+minimal,
		"a.toml", "\n[domains.\"DOMAIN1.com\"]\nservers = [\"s\"]\n[listen]\nhttp = [\"127.0.0.1:2\"]\n[users.\"a@domain1.com\"]\npassword = \"{PLAIN}x\"\n[users.\"b@domain1.com\"]\naliases = [\"a@domain1.com\"]\n"))
	if err == nil {
		t.Fatal("loads")
	}
	for _, want := range []string{
		`a.toml:2: domains."DOMAIN1.com": is the same domain as domains."domain1.com" in `, `m.toml:7: remove one of them`,
		"a.toml:4: listen: is also in ", "m.toml:3: move all of it to one file",
		`already belongs to users."a@domain1.com" in `, `a.toml:6: remove one of them`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if n := strings.Count(err.Error(), "is also in"); n != 1 {
		t.Errorf("[listen] is reported %d times: %v", n, err)
	}
}

// The keys with a fixed set of words exist.
func TestChoicesAreKeys(t *testing.T) {
	known := make(map[string]reflect.Type)
	keyTypes(reflect.TypeFor[content](), "", known)
	for path := range choices {
		if known[path] == nil {
			t.Errorf("no key %s", path)
		}
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"LISTEN": "listen", "x": "", "http2": "http", "tsl": "tls", "sql": ""} {
		if got := nearest(name, []string{"listen", "http", "tls"}); got != want {
			t.Errorf("nearest to %q: %q, want %q", name, got, want)
		}
	}
}

func TestParseKey(t *testing.T) {
	for text, want := range map[string]string{
		`servers.s.verify.tls`: "servers.NAME.verify.tls", `domains."a.example".verify`: "domains.NAME.verify", `auth.methods`: "auth.methods", `"`: "",
	} {
		if got := pathOf(parseKey(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := parseKey(`users."a\"b@c.example"`); len(got) != 2 || !reflect.DeepEqual(got, toml.Key{"users", `a"b@c.example`}) {
		t.Errorf("%q", got)
	}
}

func TestNotResolvedSaysWhere(t *testing.T) {
	c, err := Load(write(t,
		"m.toml", "include = [\"servers.toml\"]\n"+minimal,
		"servers.toml", "[servers.a]\nhost = \"192.0.2.1\"\n[servers.b]\nimap = 1\nhost = \"lost.invalid\"\n[servers.c]\nhost = \"lost.invalid\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	resolver := route.NewResolver(func(context.Context, string, string) ([]netip.Addr, error) { return nil, nil })
	errs := resolver.Watch(t.Context(), c.Names())
	if len(errs) != 1 {
		t.Fatalf("errors %v, want one", errs)
	}
	if got, want := c.NotResolved(errs[0]).Error(), "servers.toml:5: servers.b.host: cannot be resolved: no address"; !strings.HasSuffix(got, want) {
		t.Errorf("error %s, want %s", got, want)
	}
	other := errors.New("other")
	if got := c.NotResolved(other); got != other {
		t.Errorf("error %v, want it unchanged", got)
	}
}
