package upstream

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestCleartext checks that the password is not sent without TLS unless that is allowed.
func TestCleartext(t *testing.T) {
	for _, tt := range []struct {
		addr       string
		s          Server
		mechanisms []string
		want       []string // nil is an error
	}{
		{"192.0.2.1:143", Server{}, []string{"PLAIN", "LOGIN"}, nil},
		{"192.0.2.1:143", Server{}, []string{"IMAP-LOGIN"}, nil},
		{"192.0.2.1:110", Server{Protocol: "pop3"}, []string{"USER"}, nil},
		{"[2001:db8::1]:143", Server{}, []string{"PLAIN"}, nil},
		{"192.0.2.1:143", Server{TLS: TLS{Mode: NoTLS}}, []string{"PLAIN"}, nil},
		{"192.0.2.1:143", Server{}, []string{"PLAIN", "CRAM-MD5", "LOGIN", "SCRAM-SHA-1"}, []string{"CRAM-MD5", "SCRAM-SHA-1"}},
		{"192.0.2.1:143", Server{AllowCleartext: true}, []string{"PLAIN"}, []string{"PLAIN"}},
		{"192.0.2.1:143", Server{TLS: TLS{Mode: StartTLS}}, []string{"PLAIN"}, []string{"PLAIN"}},
		{"192.0.2.1:993", Server{TLS: TLS{Mode: ImplicitTLS}}, []string{"PLAIN"}, []string{"PLAIN"}},
		{"127.0.0.1:143", Server{}, []string{"PLAIN"}, []string{"PLAIN"}},
		{"127.9.9.9:143", Server{}, []string{"PLAIN"}, []string{"PLAIN"}},
		{"[::1]:143", Server{}, []string{"PLAIN"}, []string{"PLAIN"}},
		{"[::ffff:127.0.0.1]:143", Server{}, []string{"PLAIN"}, []string{"PLAIN"}},
	} {
		s := tt.s
		if s.Protocol == "" {
			s.Protocol = "imap"
		}
		s.Addr, s.Mechanisms = netip.MustParseAddrPort(tt.addr), tt.mechanisms
		list, err := s.choose(capabilities{})
		if !slices.Equal(names(list), tt.want) || (err == nil) != (tt.want != nil) {
			t.Errorf("%s %+v: %q, %v; want %q", tt.addr, tt.s, names(list), err, tt.want)
		}
		if err != nil {
			_, err = s.Login(t.Context(), user, password) // fails before it connects
			if outcomeOf(err) != tempfail || !strings.Contains(err.Error(), "allow_cleartext") {
				t.Errorf("%s %+v: error %v does not say what to do", tt.addr, tt.s, err)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	offer := func(names ...string) capabilities {
		return capabilities{asked: true, complete: true, mechanisms: names}
	}
	greeting := capabilities{complete: true, mechanisms: []string{"PLAIN"}}
	for _, tt := range []struct {
		protocol, wanted string
		offers           capabilities
		want             string // empty is an error
	}{
		{"imap", "", capabilities{}, "CRAM-MD5"},
		{"imap", "", offer("PLAIN"), ""},
		{"imap", "", greeting, "CRAM-MD5"},
		{"imap", "SCRAM-SHA-1 CRAM-MD5", greeting, ""},
		{"imap", "SCRAM-SHA-1 CRAM-MD5", capabilities{}, "SCRAM-SHA-1 CRAM-MD5"},
		{"imap", "PLAIN CRAM-MD5", offer("CRAM-MD5", "PLAIN"), "PLAIN"},
		{"imap", "auto", offer("CRAM-MD5", "PLAIN", "SCRAM-SHA-1", "GSSAPI"), "SCRAM-SHA-1"},
		{"imap", "auto", offer("SCRAM-SHA-256", "SCRAM-SHA-1"), "SCRAM-SHA-256"},
		{"imap", "auto", offer("SCRAM-SHA-256-PLUS", "IMAP-LOGIN"), "IMAP-LOGIN"},
		{"imap", "auto", offer("GSSAPI"), ""},
		{"imap", "auto", capabilities{}, ""},
		{"imap", "auto PLAIN", offer("PLAIN"), ""},
		{"pop3", "auto", offer("USER", "APOP"), "APOP"},
		{"pop3", "auto", capabilities{asked: true, mechanisms: []string{"USER"}}, "USER"},
		{"imap", "APOP USER", offer("PLAIN"), ""},
		{"pop3", "APOP IMAP-LOGIN USER", capabilities{}, "APOP USER"},
		{"smtp", "IMAP-LOGIN USER LOGIN", capabilities{}, "LOGIN"},
		{"smtp", "plain", capabilities{}, ""},
		{"smtp", "DIGEST-MD5", offer("DIGEST-MD5"), ""},
	} {
		s := serverOn(tt.protocol, longTimeout)
		s.Addr = netip.MustParseAddrPort("127.0.0.1:1")
		s.Mechanisms = strings.Fields(tt.wanted)
		list, err := s.choose(tt.offers)
		if got := strings.Join(names(list), " "); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s %q of %+v: %q, %v; want %q", tt.protocol, tt.wanted, tt.offers, got, err, tt.want)
		}
	}
}
