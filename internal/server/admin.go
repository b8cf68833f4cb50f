package server

import (
	"fmt"
	"net/http"

	"mailauthd/internal/mailaddr"
)

// admin is what the commands of mailauthd ask the running one:
//
//	POST /cache/flush?mask=MASK   forget the logins of the users that match; all without a mask
//	GET  /metrics                 as on the sockets in listen.metrics
func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cache/flush", s.flushCache)
	mux.Handle("GET /metrics", s.metrics.handler())
	return mux
}

func (s *Server) flushCache(w http.ResponseWriter, r *http.Request) {
	c := s.state.Load().auth.Cache
	if c == nil {
		http.Error(w, "there is no cache: [cache] size is 0", http.StatusConflict)
		return
	}
	mask := r.URL.Query().Get("mask")
	n := c.Flush(mailaddr.Mask(mask))
	s.log.Info("cache flushed", "mask", mask, "answers", n)
	fmt.Fprintf(w, "forgot %d answers\n", n)
}
