package server

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"mailauthd/internal/auth"
	"mailauthd/internal/route"
)

var protocols = []string{"imap", "pop3", "smtp"}

// watchServers keeps what is known of the servers' health.
func (s *Server) watchServers(next, old *state) {
	before := auth.Healths{}
	if old != nil {
		before = old.auth.Health
	}
	next.auth.Health = make(auth.Healths)
	ctx, cancel := context.WithCancel(s.stop)
	for _, protocol := range protocols {
		h := route.NewHealth(next.config.Servers, before[protocol], func(c route.Change) { s.logChange(protocol, c) })
		next.auth.Health[protocol] = h
		go h.Check(ctx, func(ctx context.Context, server *route.Server) error { return s.probe(ctx, protocol, server) })
	}
	next.unwatch = cancel
}

// logChange says once when a server is set aside and once when it is back.
func (s *Server) logChange(protocol string, c route.Change) {
	switch {
	case c.To == route.Open && c.From == route.Closed:
		s.log.Warn("server set aside", "server", c.Server, "protocol", protocol, "error", c.Err, "retry", c.Retry)
	case c.To == route.Closed:
		s.log.Info("server is back", "server", c.Server, "protocol", protocol)
	default:
		s.log.Debug("server tried again", "server", c.Server, "protocol", protocol, "state", c.To.String())
	}
}

// probe asks what the server offers, which is what a login would begin with.
func (s *Server) probe(ctx context.Context, protocol string, server *route.Server) error {
	if !askedBy(server, protocol) {
		return nil
	}
	addr, ok := s.resolver.Addr(server.Host)
	if !ok {
		return fmt.Errorf("host %q has not been resolved so far", server.Host)
	}
	_, err := server.Check(protocol, addr).Probe(ctx)
	return err
}

// askedBy tells whether passwords may be checked at a server by a protocol.
func askedBy(server *route.Server, protocol string) bool {
	return server.VerifyProtocol == "same" || server.VerifyProtocol == protocol
}

// serversUp is 1 for each server that is not set aside, by the protocols that it is asked by.
type serversUp struct{ server *Server }

var upDesc = prometheus.NewDesc("mailauthd_server_up", "1 while a server answers, 0 while it is set aside.", []string{"server", "protocol"}, nil)

func (u serversUp) Describe(c chan<- *prometheus.Desc) { c <- upDesc }

func (u serversUp) Collect(c chan<- prometheus.Metric) {
	st := u.server.state.Load()
	if st == nil {
		return
	}
	for _, protocol := range protocols {
		for _, server := range st.config.Servers {
			if !askedBy(server, protocol) {
				continue // nothing is known
			}
			up := 0.0
			if st.auth.Health[protocol].Of(server).State() == route.Closed {
				up = 1
			}
			c <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up, server.Name, protocol)
		}
	}
}
