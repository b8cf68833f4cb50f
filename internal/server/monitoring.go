package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mailauthd/internal/mailaddr"
	"mailauthd/internal/route"
	"mailauthd/internal/status"
)

// monitoring returns the handler of the sockets in [listen] metrics. The admin socket has the same, with all names:
//
//	GET /metrics   for Prometheus
//	GET /ping      "pong", as PHP-FPM's ping.path
//	GET /health    200 if a login could be decided, or else 503; JSON says what is wrong
//	GET /status    figures for people: see package status
func (s *Server) monitoring() http.Handler {
	mux := http.NewServeMux()
	s.monitor(mux, s.mayReadNames)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "there is nothing here: want /metrics, /ping, /health or /status", http.StatusNotFound)
	})
	return mux
}

// monitor adds the paths to a mux. Names are shown to the clients for which names returns true.
func (s *Server) monitor(mux *http.ServeMux, names func(*http.Request) bool) {
	slots := make(chan struct{}, maxScrapes)
	mux.HandleFunc("GET /metrics", withoutQuery(s.metrics.handler().ServeHTTP))
	mux.HandleFunc("GET /ping", withoutQuery(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "pong\n") }))
	mux.HandleFunc("GET /health", withoutQuery(s.serveHealth))
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			s.serveStatus(w, r, names(r))
		default:
			http.Error(w, "too many requests for the status", http.StatusServiceUnavailable)
		}
	})
}

// withoutQuery refuses requests with a query, which has no meaning.
func withoutQuery(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			http.Error(w, "unknown query: want none", http.StatusBadRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		h(w, r)
	}
}

// mayReadNames reports whether a client is in a network of [listen] status_full.
func (s *Server) mayReadNames(r *http.Request) bool {
	client := clientOf(r).WithZone("")
	return slices.ContainsFunc(s.state.Load().config.Listen.StatusFull, func(p netip.Prefix) bool { return p.Contains(client) })
}

func (s *Server) serveStatus(w http.ResponseWriter, r *http.Request, names bool) {
	q, err := status.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p := s.snapshot(time.Now(), q.Full)
	if !names {
		p.Mask(s.isListed)
	}
	var page bytes.Buffer
	kind := "text/plain"
	switch q.Format {
	case status.JSON:
		kind = "application/json"
		if !q.Full {
			p.Minutes = nil
		}
		err = p.WriteJSON(&page)
	case status.HTML:
		kind = "text/html"
		err = p.WriteHTML(&page, q)
	default:
		err = p.WriteText(&page, false)
	}
	if err != nil {
		s.log.Error("the status cannot be written", "error", err)
		http.Error(w, "the status cannot be written: see the service's messages", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind+"; charset=utf-8")
	h.Set("Content-Security-Policy", status.ContentSecurityPolicy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	page.WriteTo(w)
}

// isListed reports whether the configuration has a domain. A domain that only "*" matches may be a password.
func (s *Server) isListed(domain string) bool {
	canonical, err := mailaddr.Domain(domain)
	found := s.state.Load().config.Domains.Find(canonical)
	return err == nil && found != nil && found.Name != route.AnyDomain
}

// health is the answer to GET /health.
type health struct {
	OK       bool      `json:"ok"`       // a login could be decided
	Problems []problem `json:"problems"` // also those that concern some logins only
}

type problem struct {
	What  string `json:"what"`
	Error string `json:"error"`
}

func (s *Server) serveHealth(w http.ResponseWriter, _ *http.Request) {
	h := s.health(time.Now())
	w.Header().Set("Content-Type", "application/json")
	if !h.OK {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(h)
}

// health finds out whether a login could be decided: the log can be written, and for one domain at least what decides
// its logins is not set aside.
func (s *Server) health(now time.Time) health {
	st := s.state.Load()
	h := health{OK: true, Problems: []problem{}}
	if err := s.tally.writable(now, s.events); err != nil {
		h.OK = false
		h.Problems = append(h.Problems, problem{"log", err.Error()})
	}
	usage := st.auth.Usage()
	down := make(map[string]bool)
	for _, v := range st.passdbs(usage, now) {
		down[v.Name] = !v.Up
		switch {
		case !v.Up:
			h.Problems = append(h.Problems, problem{"passdb " + v.Name, "set aside: see the status"}) // the error may name a user
		case v.SetAside > 0:
			h.Problems = append(h.Problems, problem{"passdb " + v.Name, fmt.Sprintf("servers set aside: %d", v.SetAside)})
		}
	}
	for _, v := range st.servers(usage, now) {
		if !v.Up { // nothing of a login was sent, so the error names none
			h.Problems = append(h.Problems, problem{strings.TrimSpace("server " + v.Name + " " + v.Protocol), v.LastError})
		}
	}
	if st.config.Domains.Len() > 0 && !st.decides(down) {
		h.OK = false
		h.Problems = append(h.Problems, problem{"domains", "the servers or the passdb of every domain are set aside"})
	}
	return h
}

// decides reports whether the logins of a domain can be decided. The passdbs that are down decide none.
func (st *state) decides(down map[string]bool) bool {
	for d := range st.config.Domains.All() {
		if !down[d.Verify] && slices.ContainsFunc(d.Servers, st.reachable) {
			return true
		}
	}
	return false
}

// reachable reports whether a server is not set aside on every protocol.
func (st *state) reachable(server *route.Server) bool {
	return slices.ContainsFunc(server.CheckProtocols(), func(protocol string) bool {
		return st.auth.Health.Of(server, protocol).State() == route.Closed
	})
}
