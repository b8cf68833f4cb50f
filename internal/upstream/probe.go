package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"time"
)

// Report is the result of [Server.Probe].
type Report struct {
	Clear     Offer // what the server offers before TLS; empty with implicit TLS
	Encrypted Offer // what the server offers with TLS

	TLS         string      // version, such as "TLS 1.3"; empty without TLS
	NotAfter    time.Time   // when the server's certificate expires
	Fingerprint Fingerprint // of the server's certificate

	// Mechanisms has the mechanism that a login would use. It has several if the server does
	// not say what it offers: a login would try them in this order.
	Mechanisms []string
	Steps      []Step // in order; a step may occur twice
}

// Offer is what a server says that it supports.
type Offer struct {
	Capabilities []string // lines, as the server wrote them
	Mechanisms   []string // also those that this package does not have, such as GSSAPI
}

// Step is a part of the dialogue before a login: "connect", "tls", "greeting", "capabilities" or
// "starttls".
type Step struct {
	Name string
	Took time.Duration
}

// certificate records the server's certificate.
func (c *Conn) certificate(chain []*x509.Certificate) {
	if len(chain) == 0 {
		return
	}
	c.report.NotAfter, c.report.Fingerprint = chain[0].NotAfter, sha256.Sum256(chain[0].Raw)
	if c.server.Certificate != nil {
		c.server.Certificate(chain[0].NotAfter)
	}
}

// Probe connects and reports what the server offers, without a login. If it returns an error,
// the report has what was seen before, including a certificate that was refused.
func (s Server) Probe(ctx context.Context) (Report, error) {
	if err := s.validateProtocol(); err != nil {
		return Report{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	c, err := s.connect(ctx)
	if err != nil {
		return Report{}, err
	}
	defer c.Close()
	err = c.within(ctx, func() error { return c.prepare(true) })
	c.report.Clear = Offer{c.inClear.lines, c.inClear.mechanisms}
	if c.report.TLS != "" {
		c.report.Encrypted = Offer{c.caps.lines, c.caps.mechanisms}
	}
	if err != nil {
		return c.report, err
	}
	c.awaitsCommand = true
	list, err := s.choose(c.caps)
	c.report.Mechanisms = names(list)
	return c.report, err
}
