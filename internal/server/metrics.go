package server

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mailauthd/internal/authlog"
)

// metrics has the metrics for Prometheus. Clients cannot add values of labels: an unknown value
// counts as "other".
type metrics struct {
	registry *prometheus.Registry
	logins   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	cached   *prometheus.CounterVec
	hashes   prometheus.Counter
	reloads  *prometheus.CounterVec
	shadow   shadowMetrics

	redisSetAside prometheus.Counter
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mailauthd_logins_total", Help: "Requests by outcome (ok, reject, tempfail), reason, method and protocol.",
		}, []string{"outcome", "reason", "method", "protocol"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mailauthd_login_duration_seconds", Help: "Time from request to decision.",
			Buckets: []float64{.0001, .001, .01, .05, .1, .5, 1, 5, 10, 20},
		}, []string{"outcome"}),
		cached: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mailauthd_cache_answers_total", Help: "Logins answered from the cache (hit, stale).",
		}, []string{"cache"}),
		hashes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mailauthd_hashes_total", Help: "Passwords compared with a hash of the user map.",
		}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mailauthd_reloads_total", Help: "Reloads by result (done, refused).",
		}, []string{"result"}),
		shadow: newShadowMetrics(),

		redisSetAside: newRedisSetAside(),
	}
	for _, result := range []string{"done", "refused"} { // from the start, so that the first one is an increase
		m.reloads.WithLabelValues(result)
	}
	m.registry.MustRegister(m.logins, m.seconds, m.cached, m.hashes, m.reloads)
	m.registry.MustRegister(m.shadow.requests, m.shadow.different, m.shadow.skipped, m.shadow.seconds)
	m.registry.MustRegister(serversUp{s}, certificates{s}, passdbMetrics{s}, redisMetrics{s}, m.redisSetAside)
	m.registry.MustRegister(s.lostEvents())
	m.registry.MustRegister(s.cacheGauge("good", func(good, _ int) int { return good }))
	m.registry.MustRegister(s.cacheGauge("bad", func(_, bad int) int { return bad }))
	return m
}

func (s *Server) lostEvents() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "mailauthd_log_lost_total", Help: "Logins that could not be written to auth.log.",
	}, func() float64 {
		if s.state.Load() == nil { // there is no log yet
			return 0
		}
		return float64(s.events.Lost())
	})
}

func (s *Server) cacheGauge(kind string, which func(good, bad int) int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "mailauthd_cache_entries", Help: "Answers in the cache: right passwords (good), wrong ones (bad).",
		ConstLabels: prometheus.Labels{"kind": kind},
	}, func() float64 {
		st := s.state.Load()
		if st == nil {
			return 0
		}
		return float64(which(st.auth.CacheLen()))
	})
}

// count adds one request.
func (m *metrics) count(e *authlog.Event) {
	method := known(e.Method, "plain", "apop", "cram-md5", "external", "none", "xoauth2", "oauthbearer")
	protocol := known(e.Protocol, "imap", "pop3", "smtp")
	m.logins.WithLabelValues(e.Outcome, string(e.Reason), method, protocol).Inc()
	m.seconds.WithLabelValues(e.Outcome).Observe(e.End.Sub(e.Start).Seconds())
	if e.Cache != "" {
		m.cached.WithLabelValues(e.Cache).Inc()
	}
}

func known(value string, values ...string) string {
	if slices.Contains(values, value) {
		return value
	}
	return "other"
}

func (s *Server) reloaded(err error) {
	s.tally.reloaded(time.Now(), err)
	result := "done"
	if err != nil {
		result = "refused"
	}
	s.metrics.reloads.WithLabelValues(result).Inc()
}

// scrapeTimeout is how long one scrape may take. maxScrapes is the largest number of scrapes at a
// time.
const (
	scrapeTimeout = 10 * time.Second
	maxScrapes    = 4
)

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: scrapeTimeout, MaxRequestsInFlight: maxScrapes})
}
