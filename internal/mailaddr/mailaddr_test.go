package mailaddr

import (
	"strings"
	"testing"
)

func TestDomain(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"domain1.com", "domain1.com"},
		{"Domain1.COM", "domain1.com"},
		{"bücher.example", "xn--bcher-kva.example"},
		{"BÜCHER.example", "xn--bcher-kva.example"},
		{"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
		{"bu\u0308cher.example", "xn--bcher-kva.example"},
		{"mail_1.example", "mail_1.example"},
		{"example", "example"},
	} {
		if got, err := Domain(tt.in); err != nil || got != tt.want {
			t.Errorf("Domain(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestDomainRefuses(t *testing.T) {
	for _, in := range []string{
		"", ".", "a..b", ".a", "a.", "a b", "a\x00b", "a\nb", "[192.0.2.1]", "*.example.com",
		"a@b", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 130) + "com", "b\xfccher.example",
	} {
		if got, err := Domain(in); err == nil {
			t.Errorf("Domain(%q) = %q; want an error", in, got)
		}
	}
}

func TestUser(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"bob@domain1.com", "bob@domain1.com"},
		{"Bob@Domain1.com", "bob@domain1.com"},
		{"Bob", "bob"},
		{"a@b@Domain1.com", "a@b@domain1.com"},
		{"J\xfcRGEN@domain1.com", "j\xfcrgen@domain1.com"},
		{"Jürgen@bücher.example", "jürgen@xn--bcher-kva.example"},
		{"bob@", "bob@"},
	} {
		if got, err := User(tt.in); err != nil || got != tt.want {
			t.Errorf("User(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { User("bob@domain1.com") }); n != 0 {
		t.Errorf("User allocates %v times for a name that needs no change", n)
	}
}
