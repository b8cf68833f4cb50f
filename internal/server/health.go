package server

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailauthd/internal/route"
)

// probe asks a server what it offers, as at the beginning of a login.
func (s *Server) probe(ctx context.Context, server *route.Server, protocol string) error {
	addr, ok := s.resolver.Addr(server.Host)
	if !ok {
		return fmt.Errorf("host %q has not been resolved so far", server.Host)
	}
	var breaker *route.Breaker
	if st := s.state.Load(); st != nil { // nil before the first configuration is in force
		breaker = st.auth.Health.Of(server, protocol)
	}
	target := server.Upstream(protocol, addr)
	target.Certificate = breaker.SawCertificate
	begin := time.Now()
	_, err := target.Probe(ctx)
	if err == nil {
		breaker.Took(time.Since(begin))
	}
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

// certificates collects when the certificates of mail servers end, as far as they were seen.
type certificates struct{ server *Server }

var certificateDesc = prometheus.NewDesc("mailauthd_certificate_expiry_timestamp_seconds",
	"When the certificate of a server ends, as it was last seen.", []string{"server", "protocol"}, nil)

func (u certificates) Describe(c chan<- *prometheus.Desc) { c <- certificateDesc }

func (u certificates) Collect(c chan<- prometheus.Metric) {
	st := u.server.state.Load()
	if st == nil {
		return
	}
	for _, server := range st.config.Servers {
		for _, protocol := range server.CheckProtocols() {
			if ends := st.auth.Health.Of(server, protocol).Seen().NotAfter; !ends.IsZero() {
				c <- prometheus.MustNewConstMetric(certificateDesc, prometheus.GaugeValue, float64(ends.Unix()), server.Name, protocol)
			}
		}
	}
}
