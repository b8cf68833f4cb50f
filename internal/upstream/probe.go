package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"time"
)

// Report is what [Server.Probe] finds out.
type Report struct {
	Clear     Offer // what the server offers in clear; not asked where TLS comes first
	Encrypted Offer // by TLS

	TLS         string      // version, such as "TLS 1.3"; empty without TLS
	NotAfter    time.Time   // end of the server's certificate
	Fingerprint Fingerprint // of it

	// Mechanisms are those that a login would use: one, or several to try where
	// the server does not say what it offers.
	Mechanisms []string
	Steps      []Step // in order; a step may come twice
}

// Offer is what a server says that it can do.
type Offer struct {
	Capabilities []string // lines, as the server wrote them
	Mechanisms   []string // also those of other clients, such as GSSAPI
}

// Step is a part of what comes before a login: "connect", "tls", "greeting",
// "capabilities" or "starttls".
type Step struct {
	Name string
	Took time.Duration
}

// certificate notes what is told of the server's.
func (r *Report) certificate(chain []*x509.Certificate) {
	if len(chain) > 0 {
		r.NotAfter, r.Fingerprint = chain[0].NotAfter, sha256.Sum256(chain[0].Raw)
	}
}

// Probe connects and looks what the server offers; nobody logs in. With an error, the
// report holds what was seen so far: also of a certificate that was refused, and of a
// server that offers none of the mechanisms.
func (s Server) Probe(ctx context.Context) (Report, error) {
	if err := s.checkDialogue(); err != nil {
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
	c.polite = true
	list, err := s.choose(c.caps)
	c.report.Mechanisms = names(list)
	return c.report, err
}
