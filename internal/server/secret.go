package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
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

// refusals remembers when refused askers were last told of, by address.
type refusals struct {
	mu    sync.Mutex
	swept time.Time
	told  map[string]time.Time
}

// first tells whether this is the first refusal of an address in an interval.
func (r *refusals) first(address string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, known := r.told[address]
	if known && recent(last, now) || !known && !r.room(now) {
		return false
	}
	if r.told == nil {
		r.told = make(map[string]time.Time)
	}
	r.told[address] = now
	return true
}

// room tells whether there is room for one more address. Old ones make room, once in an interval.
func (r *refusals) room(now time.Time) bool {
	if len(r.told) >= maxRefused && !recent(r.swept, now) {
		r.swept = now
		maps.DeleteFunc(r.told, func(_ string, last time.Time) bool { return !recent(last, now) })
	}
	return len(r.told) < maxRefused
}

func recent(t, now time.Time) bool { return now.Sub(t) < refusalInterval && !now.Before(t) }
