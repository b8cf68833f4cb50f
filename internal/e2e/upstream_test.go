package e2e

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mailauthd/internal/testport"
	"mailauthd/internal/upstream"
)

// TestUpstreamMechanisms logs in to Dovecot by every mechanism that it offers, in clear and by TLS.
func TestUpstreamMechanisms(t *testing.T) {
	t.Parallel()
	// A comma and an equals sign have a meaning in SCRAM, quotes and what is not ASCII in IMAP's LOGIN.
	ordinary := account{"tim@domain1.com", "secret-tanstaaf"}
	odd := account{"\u00fc=,@domain1.com", `secret "\ ` + "\u00fc,="}
	d := startTLSDovecot(t, []account{ordinary, odd})
	for protocol, mechanisms := range d.offers {
		for _, mode := range []string{upstream.NoTLS, upstream.StartTLS, upstream.ImplicitTLS} {
			for _, mechanism := range append(slices.Clone(mechanisms), upstream.Auto) {
				t.Run(strings.Join([]string{protocol, mode, mechanism}, " "), func(t *testing.T) {
					t.Parallel()
					s := d.server(protocol, mode)
					s.Mechanisms = []string{mechanism}
					for _, a := range []account{ordinary, odd} {
						if _, err := s.Login(t.Context(), a.user, a.password); err != nil {
							t.Errorf("right password of %s: %v", a.user, err)
						}
					}
					for name, a := range map[string]account{"wrong password": {ordinary.user, "secret"}, "no such user": {"nobody@domain1.com", "secret"}} {
						if _, err := s.Login(t.Context(), a.user, a.password); !errors.Is(err, upstream.ErrRejected) {
							t.Errorf("%s: %v", name, err)
						}
					}
				})
			}
		}
	}
}

// TestUpstreamCertificates checks that nothing is sent to a server whose certificate is not trusted.
func TestUpstreamCertificates(t *testing.T) {
	t.Parallel()
	a := account{"tim@domain1.com", "secret-tanstaaf"}
	d := startTLSDovecot(t, []account{a})
	for _, tt := range []struct {
		name, address string
		change        func(*upstream.TLS)
		want          string // of the error
	}{
		{"good", "127.0.0.1", func(*upstream.TLS) {}, ""},
		{"good for a name", "127.0.0.1", func(c *upstream.TLS) { c.ServerName = "mail.domain1.com" }, ""},
		{"expired", "127.0.0.2", func(*upstream.TLS) {}, "expired"},
		{"wrong address", "127.0.0.3", func(*upstream.TLS) {}, "127.0.0.3"},
		{"wrong name", "127.0.0.1", func(c *upstream.TLS) { c.ServerName = "other.domain1.com" }, "other.domain1.com"},
		{"unknown authority", "127.0.0.1", func(c *upstream.TLS) { c.CAs = nil }, "unknown authority"},
		{"pinned", "127.0.0.1", func(c *upstream.TLS) { c.CAs, c.Fingerprint = nil, d.fingerprint("good") }, ""},
		{"expired but pinned", "127.0.0.2", func(c *upstream.TLS) { c.Fingerprint = d.fingerprint("expired") }, ""},
		{"good but not the pinned one", "127.0.0.1", func(c *upstream.TLS) { c.Fingerprint = d.fingerprint("expired") }, "not the one configured"},
	} {
		for protocol := range d.offers {
			for _, mode := range []string{upstream.StartTLS, upstream.ImplicitTLS} {
				t.Run(strings.Join([]string{tt.name, protocol, mode}, " "), func(t *testing.T) {
					t.Parallel()
					s := d.server(protocol, mode)
					s.Addr = netip.AddrPortFrom(netip.MustParseAddr(tt.address), s.Addr.Port())
					s.Mechanisms = []string{"PLAIN"}
					tt.change(&s.TLS)
					_, err := s.Login(t.Context(), a.user, a.password)
					switch {
					case tt.want == "" && err != nil:
						t.Error(err)
					case tt.want != "" && (err == nil || errors.Is(err, upstream.ErrRejected) || !strings.Contains(err.Error(), tt.want)):
						t.Errorf("error %v, want one of %q", err, tt.want)
					}
					report, err := s.Probe(t.Context())
					if (err == nil) != (tt.want == "") {
						t.Errorf("probe: %v", err)
					}
					wantReport(t, d, s, report, err)
				})
			}
		}
	}
}

// wantReport checks that a probe reports Dovecot's settings, and its certificate even if it is not trusted.
func wantReport(t *testing.T, d *tlsDovecot, s upstream.Server, r upstream.Report, err error) {
	t.Helper()
	cert := d.certs[map[string]string{"127.0.0.2": "expired", "127.0.0.3": "other"}[s.Addr.Addr().String()]]
	if cert == nil {
		cert = d.certs["good"]
	}
	if !r.NotAfter.Equal(cert.NotAfter) || r.Fingerprint != upstream.Fingerprint(sha256.Sum256(cert.Raw)) {
		t.Errorf("probe: certificate %v until %v", r.Fingerprint, r.NotAfter)
	}
	if err != nil {
		return
	}
	for _, name := range d.offers[s.Protocol] {
		if !slices.Contains(r.Encrypted.Mechanisms, name) {
			t.Errorf("probe: %s offers %q, want %s", s.Protocol, r.Encrypted.Mechanisms, name)
		}
	}
	if r.TLS != "TLS 1.3" || !slices.Equal(r.Mechanisms, []string{"PLAIN"}) || len(r.Steps) < 4 {
		t.Errorf("probe: %+v", r)
	}
}

// tlsDovecot is a mail server with three certificates, each on an address of its own.
type tlsDovecot struct {
	*process
	ports  map[string][2]int // by protocol: in clear, and by TLS from the beginning
	offers map[string][]string
	ca     authority
	cas    *x509.CertPool
	certs  map[string]*x509.Certificate
}

func (d *tlsDovecot) server(protocol, mode string) upstream.Server {
	port := d.ports[protocol][0]
	if mode == upstream.ImplicitTLS {
		port = d.ports[protocol][1]
	}
	return upstream.Server{
		Protocol: protocol, Addr: netip.MustParseAddrPort(loopback(port)),
		ConnectTimeout: readyTimeout, Timeout: readyTimeout,
		TLS: upstream.TLS{Mode: mode, CAs: d.cas},
	}
}

func (d *tlsDovecot) fingerprint(name string) upstream.Fingerprint {
	return sha256.Sum256(d.certs[name].Raw)
}

func startTLSDovecot(tb testing.TB, accounts []account) *tlsDovecot {
	tb.Helper()
	needRoot(tb)
	path := program(tb, "dovecot")
	dir := tempDir(tb)
	uid, gid := nobody(tb)
	common := []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
	d := &tlsDovecot{
		ports: map[string][2]int{},
		offers: map[string][]string{
			"imap": append(slices.Clone(common), "IMAP-LOGIN"),
			"pop3": append(slices.Clone(common), "APOP", "USER"),
			"smtp": common,
		},
		cas: x509.NewCertPool(), certs: map[string]*x509.Certificate{},
	}
	for protocol := range d.offers {
		d.ports[protocol] = [2]int{testport.Free(tb), testport.Free(tb)}
	}
	base := render(tb, "dovecot.conf", map[string]any{
		"Dir": dir, "Host": "127.0.0.1", "UID": uid, "GID": gid, "Relay": 1,
		"POP3": d.ports["pop3"][0], "IMAP": d.ports["imap"][0], "SMTP": d.ports["smtp"][0],
	})
	settings := d.makeCertificates(tb, dir)
	settings["Base"] = writeFile(tb, dir, "base.conf", base)
	settings["POP3S"], settings["IMAPS"], settings["SMTPS"] = d.ports["pop3"][1], d.ports["imap"][1], d.ports["smtp"][1]
	writeFile(tb, dir, "users", passwdFile(accounts))
	writeFile(tb, dir, "masters", passwdFile(nil))
	makeMail(tb, filepath.Join(dir, "mail"), uid, gid, accounts)
	d.process = start(tb, dir, "dovecot", path, "-F", "-c", writeFile(tb, dir, "dovecot.conf", render(tb, "dovecot-tls.conf", settings)))
	d.logs = append(d.logs, filepath.Join(dir, "dovecot.log"))
	for _, p := range d.ports {
		waitReady(tb, d.process, loopback(p[0]), loopback(p[1]))
	}
	return d
}

// makeCertificates makes an authority and certificates that it has signed. It returns their files for Dovecot's settings.
func (d *tlsDovecot) makeCertificates(tb testing.TB, dir string) map[string]any {
	tb.Helper()
	ca := newAuthority(tb, dir, "test authority")
	d.ca = ca
	d.cas.AppendCertsFromPEM([]byte(readFile(tb, ca.file)))
	settings := map[string]any{}
	for name, setting := range map[string]string{"good": "Good", "expired": "Expired", "other": "OtherName"} {
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
			NotBefore: ca.cert.NotBefore, NotAfter: ca.cert.NotAfter,
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2)}, DNSNames: []string{"mail.domain1.com"},
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		if name == "expired" {
			leaf.NotAfter = time.Now().Add(-time.Minute)
		}
		key := newKey(tb)
		der := ca.sign(tb, leaf, key)
		keyDER, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			tb.Fatal(err)
		}
		if d.certs[name], err = x509.ParseCertificate(der); err != nil {
			tb.Fatal(err)
		}
		settings[setting] = writeFile(tb, dir, name+".pem", toPEM("CERTIFICATE", der)+toPEM("PRIVATE KEY", keyDER))
	}
	return settings
}
