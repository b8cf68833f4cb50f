package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"sync"
	"time"

	"mailauthd/internal/authlog"
)

// mayAsk tells whether an asker shows the secret, if there is one to show. All values are
// compared, as hashes, so the time tells nothing about them.
func (s *Server) mayAsk(r *http.Request) bool {
	secret := s.state.Load().config.Auth.Secret
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
	if good == 0 && s.refused.first(asker(r), time.Now()) {
		s.log.Warn("asker refused: it does not show the secret", "asker", authlog.Escape(asker(r)), "header", secret.Header)
	}
	return good == 1
}

// asker is the address that a request comes from.
func asker(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// What is remembered of refused askers.
const (
	refusalInterval = time.Minute // between two warnings of one address
	maxRefused      = 1024        // addresses; beyond it nothing is said of new ones
)

// refusals remembers refused askers by address.
type refusals struct {
	mu    sync.Mutex
	since time.Time
	seen  map[string]bool
}

// first tells whether this is the first refusal of an address in an interval.
func (r *refusals) first(address string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil || now.Sub(r.since) >= refusalInterval || now.Before(r.since) {
		r.since, r.seen = now, make(map[string]bool)
	}
	if r.seen[address] || len(r.seen) >= maxRefused {
		return false
	}
	r.seen[address] = true
	return true
}
