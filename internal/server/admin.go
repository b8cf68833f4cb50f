package server

import (
	"fmt"
	"net/http"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/shadow"
	"mailauthd/internal/status"
)

// admin returns the handler of the admin socket, which the commands of mailauthd use:
//
//	POST /cache/flush?mask=MASK   forget the logins of the users that match, or all without a mask
//	POST /throttle/reset?of=OF    forget the failures of a user, or of a client's address
//	GET  /throttle?of=OF          counters of a user or of a client's address; without OF those over their limits, as JSON
//	GET  /login?user=USER&client_ip=ADDRESS&protocol=PROTOCOL
//	                              what decides such a login beyond the configuration, one note a line; it changes
//	                              nothing, and no password is sent
//	GET  /metrics, /ping, /health, /status
//	                              as on the sockets in [listen] metrics, with all names
func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cache/flush", s.flushCache)
	mux.HandleFunc("POST /throttle/reset", s.resetThrottle)
	mux.HandleFunc("GET /throttle", s.showThrottle)
	mux.HandleFunc("GET /login", s.noteLogin)
	s.monitor(mux, func(*http.Request) bool { return true })
	return mux
}

func (s *Server) noteLogin(w http.ResponseWriter, r *http.Request) {
	q, st := r.URL.Query(), s.state.Load()
	if st.script != nil && st.script.Answer == shadow.Theirs {
		fmt.Fprintln(w, `[shadow] answer = "theirs": nginx gets the answer of the old script, not this one`)
	}
	for _, note := range st.auth.Notes(r.Context(), q.Get("user"), q.Get("client_ip"), authhttp.Protocol(q.Get("protocol"))) {
		fmt.Fprintln(w, authlog.Escape(note))
	}
}

func (s *Server) flushCache(w http.ResponseWriter, r *http.Request) {
	mask := r.URL.Query().Get("mask")
	st := s.state.Load()
	n, ok := st.auth.FlushCache(mailaddr.Mask(mask))
	if !ok && st.redis == nil {
		http.Error(w, "there is no cache: [cache] size is 0", http.StatusConflict)
		return
	}
	s.log.Info("cache flushed", "mask", mask, "answers", n)
	fmt.Fprintf(w, "forgot %d answers\n", n)
	if st.redis == nil {
		return
	}
	if err := st.redis.Announce(r.Context(), topicFlush, mask); err != nil {
		fmt.Fprintf(w, "the other machines forget theirs when Redis answers: %v\n", err)
		return
	}
	fmt.Fprintln(w, "the other machines forget theirs as well")
}

func (s *Server) resetThrottle(w http.ResponseWriter, r *http.Request) {
	a := s.state.Load().auth
	if !a.Throttles() {
		http.Error(w, noThrottle, http.StatusConflict)
		return
	}
	of := r.URL.Query().Get("of")
	n, err := a.Forgive(r.Context(), of)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.log.Info("throttle reset", "of", authlog.Escape(of), "counters", n)
	fmt.Fprintf(w, "forgot %d counters\n", n)
}

func (s *Server) showThrottle(w http.ResponseWriter, r *http.Request) {
	a := s.state.Load().auth
	if !a.Throttles() {
		http.Error(w, noThrottle, http.StatusConflict)
		return
	}
	of := r.URL.Query().Get("of")
	held, _, _ := a.Held()
	if of != "" {
		var err error
		if held, err = a.HeldBy(r.Context(), of); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = status.WriteJSON(w, heldList(held), "")
}

const noThrottle = "there is no throttle: the configuration has no [throttle]"
