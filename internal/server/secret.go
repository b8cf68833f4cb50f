package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"time"
)

// mayAsk tells whether an asker shows the secret, if there is one to show. All values are
// compared, as hashes, so the time tells nothing about them.
func (s *Server) mayAsk(r *http.Request) bool {
	secret := s.state.Load().config.Secret
	if secret == nil {
		return true
	}
	shown := r.Header[secret.Header]
	good := 0
	if len(shown) == 1 {
		hash := sha256.Sum256([]byte(shown[0]))
		for _, want := range secret.Hashes {
			good |= subtle.ConstantTimeCompare(want[:], hash[:])
		}
	}
	if good == 0 && s.refused.First(asker(r), time.Now()) {
		s.log.Warn("asker refused: it does not show the secret", "asker", asker(r).String(), "header", secret.Header)
	}
	return good == 1
}

// asker is the address that a request comes from, by FastCGI as the web server says; the zero Addr if that is none.
func asker(r *http.Request) netip.Addr {
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return a.Addr().Unmap()
	}
	a, _ := netip.ParseAddr(r.RemoteAddr)
	return a.Unmap().WithZone("")
}
