package config

import (
	"cmp"
	"crypto/x509"
	"net/netip"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mailauthd/internal/route"
	"mailauthd/internal/upstream"
)

// The largest values that are accepted for a server.
const (
	maxWeight      = 1000
	maxConnections = 10_000
	maxWarm        = 100
)

// buildVerify reads how a password is checked at a server.
func (l *loader) buildVerify(f *file, key toml.Key, s *verifySection, server *route.Server) {
	if s.Protocol != nil {
		l.choose(f, append(key, "protocol"), *s.Protocol)
		server.VerifyProtocol = *s.Protocol
	}
	server.VerifyPOP3 = l.port(f, append(key, "pop3"), s.POP3, 0)
	server.VerifyIMAP = l.port(f, append(key, "imap"), s.IMAP, 0)
	server.VerifySMTP = l.port(f, append(key, "smtp"), s.SMTP, 0)
	server.Mechanisms = l.mechanisms(f, append(key, "mechanisms"), s.Mechanisms)
	server.AllowCleartext = s.AllowCleartext
	server.TLS = l.buildTLS(f, key, s, server.Host)
	l.buildConnections(f, key, s, server)
	l.warnOfMechanisms(f, append(key, "mechanisms"), server)
}

// warnOfMechanisms warns about logins that will fail whatever the server offers. The address of a host
// name is not known here, so a name counts as a loopback address.
func (l *loader) warnOfMechanisms(f *file, key toml.Key, server *route.Server) {
	addr, err := netip.ParseAddr(server.Host)
	if err != nil {
		addr = netip.IPv6Loopback()
	}
	for _, protocol := range []string{"imap", "pop3", "smtp"} {
		target := server.Upstream(protocol, addr)
		if err := target.Validate(); err != nil {
			l.warn(f, key, "%s logins cannot be checked: %v", protocol, err)
		}
		if server.VerifyProtocol != "same" {
			return
		}
	}
}

// mechanisms checks a list of names that package upstream knows, or "auto" alone.
func (l *loader) mechanisms(f *file, key toml.Key, list []string) []string {
	known := strings.Join(upstream.Mechanisms(), ", ")
	if list == nil {
		return []string{defaultMechanism}
	}
	if len(list) == 0 {
		l.problems.add(f, key, `is empty: list some of %s, or only "auto"`, known)
	}
	for i, m := range list {
		switch {
		case m == upstream.Auto && len(list) > 1:
			l.problems.add(f, key, `entry %d: "auto" must be the only entry`, i+1)
		case m != upstream.Auto && !oneOf(m, upstream.Mechanisms()...):
			l.problems.add(f, key, `entry %d: unknown mechanism (known: %s; or only "auto")`, i+1, known)
		}
	}
	return list
}

func (l *loader) buildTLS(f *file, key toml.Key, s *verifySection, host string) upstream.TLS {
	t := upstream.TLS{Mode: cmp.Or(s.TLS, upstream.NoTLS), ServerName: cmp.Or(s.ServerName, host)}
	l.choose(f, append(key, "tls"), t.Mode)
	for name, value := range map[string]string{"ca_file": s.CAFile, "server_name": s.ServerName, "fingerprint": s.Fingerprint} {
		if value != "" && t.Mode == upstream.NoTLS {
			l.problems.add(f, append(key, name), `has no effect without TLS: set tls = "starttls" or tls = "implicit"`)
		}
	}
	if s.CAFile != "" {
		t.CAs, _ = l.certificates(f, append(key, "ca_file"), s.CAFile)
	}
	if s.Fingerprint != "" && t.Fingerprint.UnmarshalText([]byte(s.Fingerprint)) != nil {
		l.problems.add(f, append(key, "fingerprint"), `want the certificate's SHA-256 fingerprint, 64 hex digits: "openssl x509 -noout -fingerprint -sha256" prints it`)
	}
	return t
}

// certificates reads the certificates of a file. It also returns the text of the file, because two pools with the same
// certificates are not equal.
func (l *loader) certificates(f *file, key toml.Key, path string) (pool *x509.CertPool, text string) {
	l.refer(f, key, path)
	pool = x509.NewCertPool()
	data, err := readBounded(l.relative(path))
	if err != nil {
		l.problems.add(f, key, "%s", cannotRead(l.relative(path), err))
	} else if !pool.AppendCertsFromPEM(data) {
		l.problems.add(f, key, `holds no certificate in PEM, which begins with "-----BEGIN CERTIFICATE-----"`)
	}
	return pool, string(data)
}

// buildConnections reads the limits on connections to a server, and how often its health is checked.
func (l *loader) buildConnections(f *file, key toml.Key, s *verifySection, server *route.Server) {
	server.MaxConnections = defaultMaxConnections
	if s.MaxConnections != nil {
		server.MaxConnections = *s.MaxConnections
	}
	l.within(f, append(key, "max_connections"), server.MaxConnections, 1, maxConnections)
	server.Warm, server.WarmTTL = s.Warm, defaultWarmTTL
	l.within(f, append(key, "warm"), s.Warm, 0, min(server.MaxConnections, maxWarm))
	if s.WarmTTL != nil {
		server.WarmTTL = l.duration(f, append(key, "warm_ttl"), *s.WarmTTL, time.Second, time.Hour)
	}
	if s.CheckInterval != nil {
		server.CheckInterval = l.duration(f, append(key, "check_interval"), *s.CheckInterval, 0, time.Hour)
		if server.CheckInterval > 0 && server.CheckInterval < time.Second {
			l.problems.add(f, append(key, "check_interval"), `must be "0s" for no checks, or at least "1s"`)
		}
	}
}

// within checks that a number is from low to high, both included.
func (l *loader) within(f *file, key toml.Key, n, low, high int) {
	if n < low || n > high {
		l.problems.add(f, key, "must be from %d to %d", low, high)
	}
}
