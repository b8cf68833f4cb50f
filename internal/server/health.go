package server

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"mailauthd/internal/route"
)

// probe asks a server what it offers, as at the beginning of a login.
func (s *Server) probe(ctx context.Context, server *route.Server, protocol string) error {
	addr, ok := s.resolver.Addr(server.Host)
	if !ok {
		return fmt.Errorf("host %q has not been resolved so far", server.Host)
	}
	_, err := server.Upstream(protocol, addr).Probe(ctx)
	return err
}

// serversUp collects the metric mailauthd_server_up, by server and by protocol on which the server
// is asked.
type serversUp struct{ server *Server }

var upDesc = prometheus.NewDesc("mailauthd_server_up", "1 while a server answers, 0 while it is set aside.", []string{"server", "protocol"}, nil)

func (u serversUp) Describe(c chan<- *prometheus.Desc) { c <- upDesc }

func (u serversUp) Collect(c chan<- prometheus.Metric) {
	st := u.server.state.Load()
	if st == nil {
		return
	}
	for _, server := range st.config.Servers {
		for _, protocol := range server.CheckProtocols() {
			up := 0.0
			if st.auth.Health.Of(server, protocol).State() == route.Closed {
				up = 1
			}
			c <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up, server.Name, protocol)
		}
	}
}
