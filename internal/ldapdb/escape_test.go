package ldapdb

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/text/unicode/norm"

	"mailauthd/internal/users"
)

// hostile returns user names that would change a filter or a DN if they were not escaped.
func hostile() []string {
	names := []string{
		"*", "*)(uid=*", "a*", "alice@example.com)(|(uid=*", ")", "(", `\`, `\2a`, `a\`, "alice@example.com\\", "&", "|", "!(uid=x)",
		",", "+", `"`, "<", ">", ";", "#", "#616c696365", " alice", "alice ", " ", "  ", "=", "alice,ou=people", "alice+cn=Alice",
		`alice\,`, "\r\n", "\x01\x7f", "müller@bücher.example", "\xff\xfe", "a\xc3", "ﾊ", "%{user}", "%s%n", "alice", "'; --",
		strings.Repeat("*", MaxName), strings.Repeat("ü", MaxName/2), strings.Repeat("\\", MaxName),
	}
	for c := range 256 {
		if c != 0 {
			names = append(names, "x"+string([]byte{byte(c)})+"y")
		}
	}
	return names
}

// TestFilterEscaping reads in the server's log what it has searched for.
func TestFilterEscaping(t *testing.T) {
	s := ownSlapd(t)
	c := s.bindConfig()
	c.Filter = "(|(mail=%{user})(cn=%{user}))"
	d := newDB(t, c)
	for _, name := range hostile() {
		result, err := d.search(context.Background(), name) // also names that Lookup does not look for
		want := 0
		if strings.Trim(name, " ") == "alice" { // the directory's comparison
			want = 1
		}
		if err != nil || len(result.Entries) != want {
			t.Errorf("%.40q: %v, %v", name, result, err)
		}
	}
	lines := s.logged(t, "mail=")
	if len(lines) != len(hostile()) {
		t.Fatalf("%d searches were logged, want %d", len(lines), len(hostile()))
	}
	for i, name := range hostile() {
		_, filter, _ := strings.Cut(lines[i], `filter="`)
		filter = strings.ReplaceAll(filter, "(?", "(") // marks a value that the attribute cannot have
		got, err := ldap.CompileFilter(strings.TrimSuffix(filter, `"`))
		if err != nil || len(got.Children) != 2 {
			t.Errorf("%.40q: the server logged %q: %v", name, filter, err)
			continue
		}
		for _, equal := range got.Children {
			if equal.Tag != ldap.FilterEqualityMatch || len(equal.Children) != 2 {
				t.Errorf("%.40q: no comparison arrived: %q", name, filter)
			} else if value := equal.Children[1].Data.String(); fold(value) != fold(name) {
				t.Errorf("%.40q: %.40q arrived", name, value)
			}
		}
	}
}

// fold folds what a server folds before it logs a value.
func fold(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	return strings.Join(strings.Fields(strings.ToLower(norm.NFKC.String(s))), " ")
}

// TestDNEscaping reads in the server's log whom it was asked to bind.
func TestDNEscaping(t *testing.T) {
	s := ownSlapd(t)
	c := s.bindConfig()
	c.BindUserDN = "cn=%{user}," + base
	d := newDB(t, c)
	for i, name := range hostile() {
		e := &Entry{User: &users.User{Name: name}, name: name, dn: d.userDN.Expand(name, escapeDN)}
		if got, err := d.Bind(context.Background(), e, fmt.Sprintf("secret-%d", i)); got == Accepted || got == Undecided && err == nil {
			t.Errorf("%.40q: %v, %v", name, got, err)
		}
		dn, err := ldap.ParseDN(e.dn)
		if err != nil || len(dn.RDNs) != 3 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Value != name {
			t.Errorf("%.40q: %v, %v", name, dn, err)
		}
	}
	arrived := 0
	for _, line := range s.logged(t, `BIND dn="`) {
		_, dn, _ := strings.Cut(line, `BIND dn="`)
		dn, _, whole := strings.Cut(dn, `" m`)
		if !whole { // slapd does not escape a line feed
			continue
		}
		parsed, err := ldap.ParseDN(dn)
		if err != nil || len(parsed.RDNs) != 3 || !strings.HasSuffix(dn, ","+base) || len(parsed.RDNs[0].Attributes) != 1 {
			t.Errorf("%.60q arrived", dn)
		}
		arrived++
	}
	if arrived < 100 {
		t.Errorf("only %d binds are in the log", arrived)
	}
}

// Names that no entry can have, or only with another spelling, are not looked for.
func TestImpossibleNames(t *testing.T) {
	d := newDB(t, theSlapd(t).bindConfig())
	for _, name := range []string{
		"", "a\x00b", "\x00", strings.Repeat("a", MaxName+1), strings.Repeat("*", 65536), " bob@example.com", "bob@example.com ",
		"bob @example.com ", "Bob@example.com", "bob\u00ad@example.com", "ｂob@example.com", "bob\r\n@example.com", "\xff@example.com",
		"b\ufe0fob@example.com", "a  b@example.com", "\u00a0bob@example.com",
	} {
		if u, err := d.Find(context.Background(), name); u != nil || err != nil {
			t.Errorf("%.20q: %v, %v", name, u, err)
		}
	}
	if n := d.Stats().Searches.Count; n != 0 {
		t.Errorf("%d searches", n)
	}
	for _, name := range []string{"bob@example.com", "müller@xn--bcher-kva.example", "o'neil+x@example.com", "a b@example.com", "山@example.com"} {
		if !possible(name) {
			t.Errorf("%q is not looked for", name)
		}
	}
}

func FuzzEscapeDN(f *testing.F) {
	for _, name := range hostile() {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		dn, err := ldap.ParseDN("cn=" + escapeDN(name) + ",dc=x")
		if name == "" {
			return
		}
		if err != nil || len(dn.RDNs) != 2 || len(dn.RDNs[0].Attributes) != 1 || dn.RDNs[0].Attributes[0].Value != name {
			t.Errorf("%q: %q: %v", name, escapeDN(name), err)
		}
	})
}
