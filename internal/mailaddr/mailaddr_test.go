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
}

func TestCutExtension(t *testing.T) {
	for _, tt := range []struct{ name, delimiters, want string }{ // want is empty if there is no extension
		{"bob+news@domain1.com", "+", "bob@domain1.com"},
		{"bob+@domain1.com", "+", "bob@domain1.com"},
		{"bob+a+b@domain1.com", "+", "bob@domain1.com"},
		{"bob-a+b@domain1.com", "+", "bob-a@domain1.com"},
		{"bob-a+b@domain1.com", "+-", "bob@domain1.com"},
		{"bob+a@b@domain1.com", "+", "bob@domain1.com"},
		{"j\xfcrgen+x@domain1.com", "+", "j\xfcrgen@domain1.com"},
		{"bob+news", "+", "bob"},
		{"bob@domain+1.com", "+", ""},
		{"bob+news@domain1.com", "", ""},
		{"bob+news@domain1.com", "-", ""},
		{"+bob+news@domain1.com", "+", ""},
		{"@domain1.com", "+", ""},
		{"", "+", ""},
		{"postmaster@domain1.com", "mt", ""},
		{"mailer-daemon@domain1.com", "-", ""},
		{"double-bounce@domain1.com", "-", ""},
		{"postmaster+x@domain1.com", "+", "postmaster@domain1.com"},
		{"owner-list@domain1.com", "-", ""},
		{"owner-list+x@domain1.com", "+-", ""},
		{"owner-list+x@domain1.com", "+", "owner-list@domain1.com"},
		{"list-request@domain1.com", "-", ""},
		{"list+x-request@domain1.com", "+-", ""},
		{"list+x-request@domain1.com", "+", "list@domain1.com"},
		{"-request@domain1.com", "-", ""},
		{"list-requests@domain1.com", "-", "list@domain1.com"},
	} {
		base, cut := CutExtension(tt.name, tt.delimiters)
		if cut != (tt.want != "") || cut && base != tt.want || !cut && base != tt.name {
			t.Errorf("CutExtension(%q, %q) = %q, %v; want %q", tt.name, tt.delimiters, base, cut, tt.want)
		}
	}
}

func TestUserAllocates(t *testing.T) {
	for name, want := range map[string]float64{
		"bob@domain1.com":             0,
		"j\xfcrgen@domain1.com":       0,
		"bob@xn--bcher-kva.example":   0,
		"bob":                         0,
		"Bob@domain1.com":             1,
		"J\xfcRGEN@Sub.DOMAIN1.com":   1,
		"bob@domain1.com@Domain2.com": 1,
	} {
		if n := testing.AllocsPerRun(100, func() { User(name) }); n != want {
			t.Errorf("User(%q) allocates %v times, want %v", name, n, want)
		}
	}
}
