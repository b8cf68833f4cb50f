package route

import (
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	var domains []*Domain
	for _, name := range []string{
		"domain1.com", "sub.domain1.com", "xn--bcher-kva.example",
		"*.example.com", "*.b.example.com", "exact.b.example.com",
		"both.example", "*.both.example", "*.org",
	} {
		domains = append(domains, &Domain{Name: name})
	}
	table := NewTable(domains)
	if table.Len() != len(domains) {
		t.Errorf("Len = %d, want %d", table.Len(), len(domains))
	}
	for _, tt := range []struct{ domain, want string }{
		{"domain1.com", "domain1.com"},
		{"sub.domain1.com", "sub.domain1.com"},
		{"other.domain1.com", ""},
		{"evildomain1.com", ""},
		{"domain1.com.evil", ""},
		{"domain1.co", ""},
		{"omain1.com", ""},
		{"com", ""},
		{"", ""},
		{".", ""},
		{".domain1.com", ""},
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"a.example.com", "*.example.com"},
		{"a.x.y.z.example.com", "*.example.com"},
		{"example.com", ""},
		{"evilexample.com", ""},
		{"b.example.com", "*.example.com"},
		{"a.b.example.com", "*.b.example.com"},
		{"c.a.b.example.com", "*.b.example.com"},
		{"exact.b.example.com", "exact.b.example.com"},
		{"under.exact.b.example.com", "*.b.example.com"},
		{"both.example", "both.example"},
		{"a.both.example", "*.both.example"},
		{"any.org", "*.org"},
		{"deep.any.org", "*.org"},
		{"org", ""},
		{strings.Repeat("a.", 126) + "org", "*.org"},
	} {
		got := ""
		if d := table.Find(tt.domain); d != nil {
			got = d.Name
		}
		if got != tt.want {
			t.Errorf("Find(%q) = %q, want %q", tt.domain, got, tt.want)
		}
	}
}

// Every domain that is not listed is the one named "*", if there is one.
func TestFindAnyDomain(t *testing.T) {
	table := NewTable([]*Domain{{Name: AnyDomain}, {Name: "domain1.com"}, {Name: "*.example.com"}})
	for domain, want := range map[string]string{
		"domain1.com": "domain1.com", "a.example.com": "*.example.com", "a.b.example.com": "*.example.com",
		"example.com": AnyDomain, "a.domain1.com": AnyDomain, "com": AnyDomain, "localhost": AnyDomain,
	} {
		if got := table.Find(domain); got == nil || got.Name != want {
			t.Errorf("Find(%q) = %v, want %q", domain, got, want)
		}
	}
}

func TestFindInAnEmptyTable(t *testing.T) {
	if d := NewTable(nil).Find("domain1.com"); d != nil {
		t.Errorf("Find = %v", d)
	}
}

func TestCanonicalDomain(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"domain1.com", "domain1.com"},
		{"Domain1.COM", "domain1.com"},
		{"*.Example.com", "*.example.com"},
		{"*.com", "*.com"},
		{"*", "*"},
		{"bücher.example", "xn--bcher-kva.example"},
		{"BÜCHER.Example", "xn--bcher-kva.example"},
		{"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
		{"*.Bücher.example", "*.xn--bcher-kva.example"},
		{"mail_1.example", "mail_1.example"},
	} {
		if got, err := CanonicalDomain(tt.in); err != nil || got != tt.want {
			t.Errorf("CanonicalDomain(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{
		"", "**", "*.", "*.*.example.com", "a.*.example.com", "*example.com", "a*.example.com",
		"domain1.com.", ".domain1.com", "a..b", "a b.example", "user@domain1.com", "[192.0.2.1]", "b\xfccher.example",
	} {
		if got, err := CanonicalDomain(in); err == nil {
			t.Errorf("CanonicalDomain(%q) = %q, want an error", in, got)
		}
	}
}

func TestPort(t *testing.T) {
	s := &Server{POP3: 110, IMAP: 143, SMTP: 25}
	for protocol, want := range map[string]uint16{"pop3": 110, "imap": 143, "smtp": 25, "same": 0, "IMAP": 0, "": 0} {
		if got := s.Port(protocol); got != want {
			t.Errorf("Port(%q) = %d, want %d", protocol, got, want)
		}
	}
}
