package config

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/shadow"
)

const shadowURL = "http://127.0.0.1:8009/mail/auth.php"

func TestShadowKeys(t *testing.T) {
	u, err := shadow.ParseURL(shadowURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		want       *shadow.Config
	}{
		{"no section", "", nil},
		{"defaults", "[shadow]\nurl = \"" + shadowURL + "\"\n", &shadow.Config{
			URL: u, Answer: "theirs", Log: "/var/log/mailauthd/shadow.log", Timeout: 40 * time.Second, MaxRequests: 100}},
		{"all keys", "[shadow]\nurl = \"" + shadowURL + `"
answer = "ours"
log = "/nowhere/differences"
timeout = "3s"
max_requests = 4
`, &shadow.Config{URL: u, Answer: "ours", Log: "/nowhere/differences", Timeout: 3 * time.Second, MaxRequests: 4}},
		{"smallest values", "[shadow]\nurl = \"" + shadowURL + "\"\ntimeout = \"1ms\"\nmax_requests = 1\n", &shadow.Config{
			URL: u, Answer: "theirs", Log: "/var/log/mailauthd/shadow.log", Timeout: time.Millisecond, MaxRequests: 1}},
		{"largest values", "[shadow]\nurl = \"" + shadowURL + "\"\ntimeout = \"50s\"\nmax_requests = 512\n", &shadow.Config{
			URL: u, Answer: "theirs", Log: "/var/log/mailauthd/shadow.log", Timeout: 50 * time.Second, MaxRequests: 512}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Load(write(t, "m.toml", minimal+tt.text))
			if err != nil {
				t.Fatal(err)
			}
			got := c.Shadow
			if (got == nil) != (tt.want == nil) {
				t.Fatalf("%+v, want %+v", got, tt.want)
			}
			if got == nil {
				return
			}
			if got.URL.String() != shadowURL {
				t.Errorf("url %s", got.URL)
			}
			got.URL = u
			if *got != *tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestShadowProblems(t *testing.T) {
	for line, want := range map[string]string{
		"":                                     ":9: shadow.url: is missing: want the URL",
		`url = ":s3cr3t"`:                      ":10: shadow.url: want the URL",
		`url = "ftp://s3cr3t.example/"`:        ":10: shadow.url: want the URL",
		`url = "/s3cr3t.php"`:                  ":10: shadow.url: want the URL",
		`url = "http://bob:s3cr3t@127.0.0.1"`:  ":10: shadow.url: must not have a user name or password",
		`url = 1`:                              `:10: shadow.url: want a string such as "http://127.0.0.1:8009/mail/auth.php", not a number`,
		`answer = "both"`:                      `:10: shadow.answer: want one of "theirs", "ours"`,
		`log = "shadow.log"`:                   `:10: shadow.log: want an absolute path, such as "/var/log/mailauthd/shadow.log"`,
		`log = "/"`:                            ":10: shadow.log: exists and is not a regular file",
		`log = "/var/log/mailauthd//auth.log"`: ":10: shadow.log: is the file of [log] already",
		`timeout = "51s"`:                      ":10: shadow.timeout: must be from 1ms to 50s",
		`max_requests = 0`:                     ":10: shadow.max_requests: must be from 1 to 512",
		`max_requests = 513`:                   ":10: shadow.max_requests: must be from 1 to 512",
		`urls = "x"`:                           ":10: shadow.urls: unknown key",
	} {
		text := "[shadow]\n" + line + "\n"
		if line != "" && !strings.HasPrefix(line, "url = ") {
			text += "url = \"" + shadowURL + "\"\n"
		}
		path := write(t, "m.toml", "\n"+minimal+text)
		if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), path+want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// A URL that is one of our own sockets would make us ask ourselves.
func TestShadowLoop(t *testing.T) {
	own := ownAddress(t)
	for _, tt := range []struct {
		listen, url string
		want        bool
	}{
		{"127.0.0.1:8008", "http://127.0.0.1:8008/mail/auth.php", true},
		{"127.0.0.1:8008", "http://127.0.0.1:8009/mail/auth.php", false},
		{"127.0.0.1:8008", "http://LOCALHOST.:8008/", true},
		{"127.0.0.1:8008", "http://localhost.localdomain:8008/", true},
		{"127.0.0.1:8008", "http://ip6-localhost:8008/", true},
		{"127.0.0.1:8008", "http://x.localhost:8008/", true},
		{"127.0.0.1:8008", "http://[::1]:8008/", true},
		{"127.0.0.1:8008", "http://[::ffff:127.0.0.1]:8008/", true},
		{"127.0.0.1:8008", "http://0.0.0.0:8008/", true},
		{"127.0.0.1:08008", "http://127.0.0.1:8008/", true},
		{"127.0.0.1:8008", "http://192.0.2.1:8008/", false},
		{"127.0.0.1:80", "http://127.0.0.1/", true},
		{"127.0.0.1:80", "https://127.0.0.1/", false},
		{"127.0.0.1:443", "https://127.0.0.1/", true},
		{"localhost:8008", "http://127.0.0.1:8008/", true},
		{"[::1]:8008", "http://127.0.0.1:8008/", true},
		{"192.0.2.1:8008", "http://192.0.2.1:8008/", true},
		{"192.0.2.1:8008", "http://[::ffff:192.0.2.1]:8008/", true},
		{"192.0.2.1:8008", "http://192.0.2.2:8008/", false},
		{"192.0.2.1:8008", "http://127.0.0.1:8008/", false},
		{"mail.example:8008", "http://MAIL.example:8008/", true},
		{"mail.example:8008", "http://mail.example.net:8008/", false},
		{":8008", "http://127.0.0.1:8008/", true},
		{":8008", "http://0.0.0.0:8008/", true},
		{"0.0.0.0:8008", "http://localhost:8008/", true},
		{"[::]:8008", "http://[::1]:8008/", true},
		{"0.0.0.0:8008", "http://192.0.2.1:8008/", false},
		{"0.0.0.0:8008", "http://php.example:8008/", false},
		{"0.0.0.0:8008", own, own != ""},
		{"127.0.0.1:8008", own, false},
	} {
		if tt.url == "" {
			continue
		}
		path := write(t, "m.toml", strings.Replace(minimal, "127.0.0.1:8008", tt.listen, 1)+"[shadow]\nurl = \""+tt.url+"\"\n")
		_, err := Load(path)
		if err != nil && !strings.Contains(err.Error(), "shadow.url: is mailauthd's own address in [listen] http") {
			t.Errorf("%s and %s: %v", tt.listen, tt.url, err)
		}
		if (err != nil) != tt.want {
			t.Errorf("%s and %s: refused = %v", tt.listen, tt.url, err != nil)
		}
	}
}

// ownAddress returns a URL with an address of this machine. It is empty if there are loopback addresses only.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			return "http://" + p.Addr().String() + ":8008/"
		}
	}
	return ""
}
