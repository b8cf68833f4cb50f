package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"time"
)

// hasSecret reports whether a request has the configured secret. It returns true if none is
// configured. It compares all secrets, as hashes, so that its time says nothing about them.
func (s *Server) hasSecret(r *http.Request) bool {
	secret := s.state.Load().config.Secret
	if secret == nil {
		return true
	}
	sent := r.Header[secret.Header]
	good := 0
	if len(sent) == 1 {
		hash := sha256.Sum256([]byte(sent[0]))
		for _, want := range secret.Hashes {
			good |= subtle.ConstantTimeCompare(want[:], hash[:])
		}
	}
	if good == 0 && s.refused.First(clientOf(r), time.Now()) {
		s.log.Warn("request refused: wrong or missing secret", "client", clientOf(r).String(), "header", secret.Header)
	}
	return good == 1
}

// clientOf returns the address of the client of a request. With FastCGI the web server sends it. It
// is the zero Addr if there is no valid address.
func clientOf(r *http.Request) netip.Addr {
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return a.Addr().Unmap()
	}
	a, _ := netip.ParseAddr(r.RemoteAddr)
	return a.Unmap().WithZone("")
}
