package upstream

import (
	"context"
	"crypto/x509"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// otherSettings changes one setting of a connection each.
var otherSettings = map[string]func(s *Server){
	"protocol":            func(s *Server) { s.Protocol = "imap" },
	"address":             func(s *Server) { s.Addr = netip.MustParseAddrPort("192.0.2.2:110") },
	"port":                func(s *Server) { s.Addr = netip.MustParseAddrPort("192.0.2.1:111") },
	"time to connect":     func(s *Server) { s.ConnectTimeout++ },
	"time":                func(s *Server) { s.Timeout++ },
	"TLS mode":            func(s *Server) { s.TLS.Mode = ImplicitTLS },
	"no TLS":              func(s *Server) { s.TLS.Mode = NoTLS },
	"CAs":                 func(s *Server) { s.TLS.CAs = x509.NewCertPool() },
	"the system's CAs":    func(s *Server) { s.TLS.CAs = nil },
	"server name":         func(s *Server) { s.TLS.ServerName = "other.example.com" },
	"fingerprint":         func(s *Server) { s.TLS.Fingerprint[31] = 1 },
	"mechanisms":          func(s *Server) { s.Mechanisms = []string{"CRAM-MD5"} },
	"order of mechanisms": func(s *Server) { s.Mechanisms = []string{"PLAIN", "CRAM-MD5"} },
	"cleartext":           func(s *Server) { s.AllowCleartext = true },
}

// TestPoolSettings checks that a warm connection with other settings is not used. One with the same
// settings is, because Compute and Opened, which belong to one login, do not count.
func TestPoolSettings(t *testing.T) {
	base := Server{
		Protocol: "pop3", Addr: netip.MustParseAddrPort("192.0.2.1:110"), ConnectTimeout: time.Second, Timeout: time.Minute,
		TLS: TLS{Mode: StartTLS, CAs: x509.NewCertPool(), ServerName: "mail.example.com"}, Mechanisms: []string{"CRAM-MD5", "PLAIN"},
	}
	for name, change := range otherSettings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &pipes{}
				p := NewPool(10, 1, time.Hour)
				defer p.Close()
				p.open = o.Open
				login := func(s Server, opened int32) {
					t.Helper()
					if _, err := p.Login(t.Context(), s, user, password); err != nil {
						t.Error(err)
					}
					synctest.Wait()
					if got := o.opened.Swap(0); got != opened {
						t.Errorf("%d connections opened, want %d", got, opened)
					}
				}
				other := base
				change(&other)
				login(base, 2)  // its own, and a warm one
				login(other, 2) // the same
				same := base
				same.Mechanisms = []string{"CRAM-MD5", "PLAIN"}
				same.Compute = func(context.Context) (func(), error) { return func() {}, nil }
				login(same, 1) // in place of the warm one that it used
				login(other, 1)
			})
		})
	}
}
