package upstream

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The modes of TLS.
const (
	NoTLS       = "none"
	StartTLS    = "starttls" // after the greeting; also POP3's STLS
	ImplicitTLS = "implicit" // from the first byte
)

// TLS is whether TLS is used, and how the server's certificate is verified: by CAs and name, or
// by the fingerprint alone if there is one.
type TLS struct {
	Mode        string         // NoTLS if empty
	CAs         *x509.CertPool // the system's if nil
	ServerName  string         // the server's address if empty
	Fingerprint Fingerprint
}

// Fingerprint is the SHA-256 of a certificate, as "openssl x509 -noout -fingerprint -sha256"
// prints it. The zero value is none.
type Fingerprint [sha256.Size]byte

// UnmarshalText reads hex digits, with or without colons.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(strings.ReplaceAll(string(text), ":", ""))
	if err != nil || len(b) != len(f) {
		return fmt.Errorf("fingerprint is not %d bytes (SHA-256) in hex", len(f))
	}
	copy(f[:], b)
	return nil
}

func (f Fingerprint) String() string {
	return strings.ReplaceAll(strings.ToUpper(fmt.Sprintf("% x", f[:])), " ", ":")
}

func (s Server) encrypted() bool { return s.TLS.Mode == StartTLS || s.TLS.Mode == ImplicitTLS }

// startHandshake starts TLS.
func (c *Conn) startHandshake() error {
	nc := tls.Client(c.raw, c.tlsConfig())
	if err := c.timed("tls", nc.Handshake); err != nil {
		if failed, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			c.certificate(failed.UnverifiedCertificates)
		}
		return fmt.Errorf("TLS: %w", err)
	}
	state := nc.ConnectionState()
	c.report.TLS = tls.VersionName(state.Version)
	c.traceLine("", c.report.TLS+", certificate until "+c.report.NotAfter.Format(time.DateOnly))
	c.use(nc)
	return nil
}

func (c *Conn) tlsConfig() *tls.Config {
	t := c.server.TLS
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    t.CAs,
		ServerName: t.ServerName,
		// Called even if the chain is not verified.
		VerifyConnection: func(state tls.ConnectionState) error {
			c.certificate(state.PeerCertificates)
			return t.pinned(state.PeerCertificates, c.report.Fingerprint)
		},
		InsecureSkipVerify: t.Fingerprint != Fingerprint{},
	}
	if config.ServerName == "" {
		config.ServerName = c.server.Addr.Addr().Unmap().WithZone("").String()
	}
	return config
}

// pinned returns an error if a fingerprint is configured and the certificate has another one. The
// error has the type of the one for an unknown CA, because both mean that the server is unknown.
func (t TLS) pinned(chain []*x509.Certificate, got Fingerprint) error {
	if t.Fingerprint == (Fingerprint{}) || t.Fingerprint == got {
		return nil
	}
	err := fmt.Errorf("certificate has the fingerprint %s, not the one configured", got)
	return &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
}
