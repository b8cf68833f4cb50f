package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// passwordKinds has passwords that programs on the way to mailauthd could change. The special part of each is at
// its end, where a byte is changed to make a wrong password.
var passwordKinds = []struct {
	kind     string
	password string
	alike    []string // passwords that a wrong decoding would confuse with it
}{
	{"space", mark + " b", []string{mark + "+b", mark + "%20b", mark + "b"}},
	{"space-at-end", mark + " ", []string{mark, mark + "+"}},
	{"percent", mark + "%", []string{mark + "%25", mark}},
	{"percent-20", mark + "%20", []string{mark + " ", mark + "%2520"}},
	{"no-escape", mark + "%zz", []string{mark + "zz", mark}},
	{"plus", mark + "+", []string{mark + " ", mark + "%2B"}},
	{"hash", mark + "#x", []string{mark}},
	{"question-mark", mark + "?x", []string{mark}},
	{"ampersand", mark + "&x", []string{mark, mark + "&amp;x"}},
	{"double-quote", mark + `"`, []string{mark, mark + `\"`}},
	{"backslash", mark + `\`, []string{mark, mark + `\\`}},
	{"single-quote", mark + `'`, []string{mark}},
	{"dollar-parentheses", mark + "$(id)", []string{mark}},
	{"semicolon", mark + ";id", []string{mark}},
	{"colon", mark + ":x", []string{mark}},
	{"utf8-two-bytes", mark + "é", []string{mark + "\xe9", mark + "e\u0301"}},
	{"utf8-four-bytes", mark + "🔑", []string{mark + "?", mark + "\ufffd"}},
	{"latin1", mark + "\xe9", []string{mark + "é", mark + "\ufffd"}},
	{"not-utf8", mark + "\xff\x80", []string{mark + "\ufffd\ufffd", mark}},
	{"200-characters", strings.Repeat(mark+"-", 20), []string{strings.Repeat(mark+"-", 19)}},
}

// The ways to check a password: at the mail server, against a hash, against the password in the user map.
const (
	upstreamDomain = "upstream.example"
	hashDomain     = "hash.example"
	plainDomain    = "plain.example"
)

// passwordWebServers has each program in webServers once.
var passwordWebServers = map[string]bool{"nginx-unix": true, "apache-unix": true, "http": true}

// TestPasswords logs in with each kind of password through each web server. A mail client does so only through the first
// one, because nginx asks every web server in the same way as checkAuthStatus.
func TestPasswords(t *testing.T) {
	t.Parallel()
	for i, m := range webServers {
		if !passwordWebServers[m.name] {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			accounts := passwordAccounts()
			d := deploy(t, m, accounts, passwordTOML(t, accounts))
			for j, k := range passwordKinds {
				wrong := append([]string{lastByteChanged(k.password)}, k.alike...)
				for _, a := range accountsOf(j) {
					_, domain, _ := strings.Cut(a.user, "@")
					t.Run(k.kind+"/"+domain, func(t *testing.T) {
						t.Parallel()
						if i == 0 || domain == upstreamDomain {
							testPasswordOfClient(t, d, a, wrong[0])
						}
						testPassword(t, d, a, wrong)
					})
				}
			}
		})
	}
}

// testPasswordOfClient logs in by a mail client. One wrong password is enough, because nginx escapes all by the same rule.
func testPasswordOfClient(t *testing.T, d *deployment, a account, wrong string) {
	s := curlSession(t, d.site, "imap", "AUTH=PLAIN", a, "")
	if s.status != 0 || !strings.Contains(s.output, greeting) {
		t.Errorf("exit status %d; the client's trace:\n%s", s.status, s.trace)
	}
	s = curlSession(t, d.site, "imap", "AUTH=PLAIN", account{a.user, wrong}, "")
	s.checkRefused(t, invalidLogin["imap"])
}

// testPassword sends the requests of several versions of nginx.
func testPassword(t *testing.T, d *deployment, a account, wrong []string) {
	for _, escape := range []func(string) string{escapeNew, escapeOld, escapeLeast} {
		checkAuthStatus(t, d.site, a.user, escape(a.password), "OK")
		for _, w := range wrong {
			checkAuthStatus(t, d.site, a.user, escape(w), "Invalid login or password")
		}
	}
}

// checkAuthStatus sends the request of nginx to the web server, with headers that the caller has escaped.
func checkAuthStatus(t *testing.T, s site, user, escaped, want string) {
	t.Helper()
	header, err := ask(s.auth, user, escaped)
	if err != nil {
		t.Fatal(err)
	}
	if got := header.Get("Auth-Status"); got != want {
		t.Errorf("Auth-Pass %q: Auth-Status %q, want %q", escaped, got, want)
	}
}

func passwordAccounts() []account {
	var all []account
	for i := range passwordKinds {
		all = append(all, accountsOf(i)...)
	}
	return all
}

// accountsOf returns the users with the i-th kind of password, one for each way to check it.
func accountsOf(i int) []account {
	password := passwordKinds[i].password
	domains := []string{upstreamDomain, hashDomain}
	if utf8.ValidString(password) {
		domains = append(domains, plainDomain) // TOML has no other strings
	}
	var accounts []account
	for _, domain := range domains {
		accounts = append(accounts, account{fmt.Sprintf("user%d@%s", i, domain), password})
	}
	return accounts
}

func passwordTOML(tb testing.TB, accounts []account) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString(domainTOML(upstreamDomain, "upstream"))
	b.WriteString(domainTOML(hashDomain, "users"))
	b.WriteString(domainTOML(plainDomain, "users"))
	for _, a := range accounts {
		switch {
		case strings.HasSuffix(a.user, "@"+hashDomain):
			b.WriteString(userTOML(a.user, sha512Crypt(tb, a.password)))
		case strings.HasSuffix(a.user, "@"+plainDomain):
			b.WriteString(userTOML(a.user, "{PLAIN}"+a.password))
		}
	}
	return b.String()
}

func lastByteChanged(password string) string {
	last := len(password) - 1
	return password[:last] + string([]byte{password[last] ^ 1})
}

// escapeNew escapes Auth-User and Auth-Pass as nginx does since 1.1.15: bytes up to 0x20, and the percent sign.
func escapeNew(s string) string {
	return escape(s, func(c byte) bool { return c <= ' ' || c == '%' })
}

// escapeOld escapes them as nginx did before.
func escapeOld(s string) string {
	return escape(s, func(c byte) bool {
		return c <= ' ' || c >= 0x7f || strings.IndexByte(`%"#?`, c) >= 0
	})
}

// escapeLeast escapes only what a decoder could take for an escape, as other programs than nginx may. An invalid
// escape such as "%zz" stays. It also escapes spaces, because a header would lose one at its end.
func escapeLeast(s string) string {
	s = regexp.MustCompile(`%[0-9A-Fa-f]{2}`).ReplaceAllStringFunc(s, escapeNew)
	return strings.ReplaceAll(s, " ", "%20")
}

func escape(s string, special func(byte) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if special(s[i]) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
