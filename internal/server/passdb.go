package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailauthd/internal/ldapdb"
	"mailauthd/internal/sqldb"
	"mailauthd/internal/users"
)

// passdbMetrics collects the figures of the passdbs.
type passdbMetrics struct{ server *Server }

// passdbDesc describes a metric of the passdbs.
func passdbDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("mailauthd_passdb_"+name, help, []string{"passdb"}, nil)
}

var (
	passdbQueries     = passdbDesc("queries_total", "Queries, searches and binds.")
	passdbErrors      = passdbDesc("errors_total", "Those that the database did not answer.")
	passdbSeconds     = passdbDesc("seconds_total", "The time of all of them, with waiting for a connection.")
	passdbConnections = passdbDesc("connections", "Open connections.")
	passdbEnds        = passdbDesc("certificate_expiry_timestamp_seconds", "When the certificate of an LDAP server ends, the first of several, as it was last seen.")
	passdbUp          = passdbDesc("up", "1 while a passdb answers, 0 while it, or one of its servers, is set aside.")
)

func (m passdbMetrics) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{passdbQueries, passdbErrors, passdbSeconds, passdbConnections, passdbEnds, passdbUp} {
		c <- d
	}
}

func (m passdbMetrics) Collect(c chan<- prometheus.Metric) {
	st := m.server.state.Load()
	if st == nil {
		return
	}
	for name, p := range st.auth.PassdbsInUse() {
		f := figuresOf(p.Directory)
		up := 1.0
		if p.SetAside() || f.setAside > 0 {
			up = 0
		}
		c <- prometheus.MustNewConstMetric(passdbQueries, prometheus.CounterValue, float64(f.queries), name)
		c <- prometheus.MustNewConstMetric(passdbErrors, prometheus.CounterValue, float64(f.errors), name)
		c <- prometheus.MustNewConstMetric(passdbSeconds, prometheus.CounterValue, f.took.Seconds(), name)
		c <- prometheus.MustNewConstMetric(passdbConnections, prometheus.GaugeValue, float64(f.connections), name)
		if !f.notAfter.IsZero() {
			c <- prometheus.MustNewConstMetric(passdbEnds, prometheus.GaugeValue, float64(f.notAfter.Unix()), name)
		}
		c <- prometheus.MustNewConstMetric(passdbUp, prometheus.GaugeValue, up, name)
	}
}

// figures are what is known of a passdb.
type figures struct {
	queries, errors uint64
	took            time.Duration
	connections     int
	servers         int       // that are asked in turn
	setAside        int       // of these
	notAfter        time.Time // when a certificate ends; zero: none was seen
}

func figuresOf(d users.Directory) figures {
	switch d := d.(type) {
	case *sqldb.DB:
		s := d.Stats()
		return figures{queries: s.Queries, errors: s.Errors, took: s.Time, connections: s.Open}
	case *ldapdb.DB:
		s := d.Stats()
		return figures{
			queries: s.Searches.Count + s.Binds.Count, errors: s.Searches.Errors + s.Binds.Errors, took: s.Searches.Took + s.Binds.Took,
			connections: s.Searches.Connections + s.Binds.Connections, servers: s.Servers, setAside: s.SetAside, notAfter: s.NotAfter,
		}
	}
	return figures{}
}
