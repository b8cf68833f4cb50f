package server

import (
	"context"
	"fmt"
	"time"
)

// Alive returns nil if logins are decided: every socket is accepted from, and the way of a login is free as far as it
// changes nothing and asks no mail server and no database. If the way is blocked, Alive does not return. A socket counts as stuck when
// a connection was accepted there and the next one has not been for the time of limit.
func (s *Server) Alive(limit time.Duration) error {
	if name := s.stuck(limit); name != "" {
		return fmt.Errorf("no connections are accepted on %s", name)
	}
	st := s.enter()
	defer st.busy.RUnlock()
	return st.auth.Alive(context.Background())
}

// stuck returns the name of a socket on which no connections are accepted.
func (s *Server) stuck(limit time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, l := range s.listeners {
		if l.stuck(limit) {
			return name
		}
	}
	return ""
}

// Summary says in a few words what the configuration has.
func (s *Server) Summary() string {
	c := s.state.Load().config
	return fmt.Sprintf("servers: %d, domains: %d, users: %d", len(c.Servers), c.Domains.Len(), c.Users.Len())
}
