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

// TLS tells how a server is reached and known. The certificate is verified, for TLS 1.2
// or newer, by the CAs and the name; or, if there is one, by its fingerprint alone.
type TLS struct {
	Mode        string         // NoTLS if empty
	CAs         *x509.CertPool // the system's if nil
	ServerName  string         // the server's address if empty
	Fingerprint Fingerprint
}

// Fingerprint is the SHA-256 of a certificate, as in
// "openssl x509 -noout -fingerprint -sha256". The zero value is none.
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

// startHandshake goes on by TLS.
func (c *Conn) startHandshake() error {
	nc := tls.Client(c.raw, c.tlsConfig())
	if err := c.timed("tls", nc.Handshake); err != nil {
		if failed, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			c.report.certificate(failed.UnverifiedCertificates)
		}
		return fmt.Errorf("TLS: %w", err)
	}
	state := nc.ConnectionState()
	c.report.TLS = tls.VersionName(state.Version)
	c.tell("", c.report.TLS+", certificate until "+c.report.NotAfter.Format(time.DateOnly))
	c.use(nc)
	return nil
}

func (c *Conn) tlsConfig() *tls.Config {
	t := c.server.TLS
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    t.CAs,
		ServerName: t.ServerName,
		// Called also where the chain is not verified.
		VerifyConnection: func(state tls.ConnectionState) error {
			c.report.certificate(state.PeerCertificates)
			return t.pinned(state.PeerCertificates, c.report.Fingerprint)
		},
		InsecureSkipVerify: t.Fingerprint != Fingerprint{},
	}
	if config.ServerName == "" {
		config.ServerName = c.server.Addr.Addr().Unmap().WithZone("").String()
	}
	return config
}

// pinned finds a certificate that is not the configured one. The error is of the same kind as that of a
// chain, for the server is as unknown.
func (t TLS) pinned(chain []*x509.Certificate, got Fingerprint) error {
	if t.Fingerprint == (Fingerprint{}) || t.Fingerprint == got {
		return nil
	}
	err := fmt.Errorf("certificate has the fingerprint %s, not the one configured", got)
	return &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
}
