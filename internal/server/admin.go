package server

import (
	"fmt"
	"net/http"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/shadow"
)

// admin returns the handler of the admin socket, which the commands of mailauthd use:
//
//	POST /cache/flush?mask=MASK   forget the logins of the users that match, or all without a mask
//	POST /throttle/reset?of=OF    forget the failures of a user, or of a client's address
//	GET  /login?user=USER&client_ip=ADDRESS&protocol=PROTOCOL
//	                              what decides such a login beyond the configuration, one note a line; it changes
//	                              nothing, and no password is sent
//	GET  /metrics                 as on the sockets in [listen] metrics
func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cache/flush", s.flushCache)
	mux.HandleFunc("POST /throttle/reset", s.resetThrottle)
	mux.HandleFunc("GET /login", s.noteLogin)
	mux.Handle("GET /metrics", s.metrics.handler())
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
		http.Error(w, "there is no throttle: the configuration has no [throttle]", http.StatusConflict)
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
