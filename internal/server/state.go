package server

import (
	"context"
	"sync"

	"mailauthd/internal/auth"
	"mailauthd/internal/config"
	"mailauthd/internal/route"
	"mailauthd/internal/shadow"
)

// state is everything that a request depends on.
type state struct {
	config *config.Config
	auth   *auth.Authenticator
	checks context.Context // of the background probes of the servers
	end    context.CancelFunc
	script *shadow.Script // that is asked as well; nil without [shadow]
	redis  *sharing       // with other machines; nil without [redis]
	busy   *sync.RWMutex  // each request that the state decides holds it for reading

	server *Server
}

// newState returns the state for a configuration.
func (s *Server) newState(c *config.Config) *state {
	st := &state{config: c, auth: auth.New(c.Config, s.resolver), busy: new(sync.RWMutex), server: s}
	st.auth.CountHash = s.metrics.hashes.Inc
	st.checks, st.end = context.WithCancel(s.stop)
	st.redis = s.share(c.Redis)
	if st.redis != nil {
		st.auth.Share(st.redis.Client)
	}
	if c.Shadow != nil {
		st.script = shadow.NewScript(*c.Shadow)
	}
	return st
}

// inherit takes over what survives a reload from old, which is nil at the start, and begins to probe
// the servers. Sockets, log and resolver survive a reload without it: see [Server.switchListeners]
// and [authlog.Log.Configure].
func (next *state) inherit(old *state) {
	var before *auth.Authenticator
	if old != nil {
		before = old.auth
	}
	next.auth.Inherit(before, next.server.logChange)
	go next.auth.Health.Run(next.checks, next.server.probe)
}

// enter returns the state in force, which stays usable until the caller unlocks busy.
func (s *Server) enter() *state {
	for {
		if st := s.state.Load(); st.busy.TryRLock() {
			return st
		} // else another state has taken its place
	}
}

// leave closes what the next state has not taken over, when no request needs it any more.
func (st *state) leave(next *state) {
	st.end()
	go func() {
		st.busy.Lock()
		defer st.busy.Unlock()
		st.auth.Close(next.auth)
		if st.redis != next.redis {
			st.redis.end()
		}
	}()
}

// logChange logs once that a server is set aside and once that it is back. Trials in between are
// logged at the debug level.
func (s *Server) logChange(c route.Change) {
	switch {
	case c.To == route.Open && c.From == route.Closed:
		s.log.Warn("server set aside", "server", c.Server, "protocol", c.Protocol, "error", c.Err, "retry", c.Retry)
	case c.To == route.Closed:
		s.log.Info("server is back", "server", c.Server, "protocol", c.Protocol)
	default:
		s.log.Debug("server tried again", "server", c.Server, "protocol", c.Protocol, "state", c.To.String())
	}
}
