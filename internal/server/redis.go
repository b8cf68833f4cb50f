package server

import (
	"context"
	"reflect"

	"github.com/prometheus/client_golang/prometheus"

	"mailauthd/internal/auth"
	"mailauthd/internal/mailaddr"
	"mailauthd/internal/redisdb"
)

// topicFlush is the topic of the announcement that remembered answers are forgotten. Its value is a mask of user names.
const topicFlush = "flush"

// sharing is what this machine shares with others.
type sharing struct {
	*redisdb.Client
	stop context.CancelFunc
}

// share returns the sharing of a configuration: that of the state in force if [redis] is the same, or else a new one.
func (s *Server) share(c *redisdb.Config) *sharing {
	if c == nil {
		return nil
	}
	if st := s.state.Load(); st != nil && st.redis != nil && reflect.DeepEqual(st.redis.Config(), *c) {
		return st.redis
	}
	sh := &sharing{Client: redisdb.New(*c, redisdb.Handler{Announced: s.announced, Missed: s.missed, Changed: s.redisChanged})}
	return sh
}

// begin connects to Redis in the background. It is called once the state is in force, because announcements change it.
func (sh *sharing) begin() {
	var ctx context.Context
	ctx, sh.stop = context.WithCancel(context.Background())
	go func() {
		sh.Keep(ctx)
		_ = sh.Close()
	}()
}

// end ends the sharing. It does not wait, because Redis may hang.
func (sh *sharing) end() {
	if sh != nil {
		sh.stop()
	}
}

// announced does what a machine, perhaps this one, has announced.
func (s *Server) announced(topic, value string) {
	a := s.state.Load().auth
	switch topic {
	case topicFlush:
		a.FlushCache(mailaddr.Mask(value))
	case auth.TopicForgiven:
		a.ForgiveHere(value)
	default: // by a newer version
		s.missed()
	}
}

// missed drops all remembered answers, because one of them may have been flushed on another machine.
func (s *Server) missed() {
	if n, ok := s.state.Load().auth.FlushCache(mailaddr.Mask("")); ok && n > 0 {
		s.log.Info("cache flushed, because announcements of other machines may have been missed", "answers", n)
	}
}

func (s *Server) redisChanged(c redisdb.Change) {
	if c.Up {
		s.log.Info("redis is used")
		return
	}
	s.log.Warn("redis set aside: this machine goes on with its own counters", "error", c.Err)
	s.metrics.redisSetAside.Inc()
}

// redisMetrics collects the metrics of [redis].
type redisMetrics struct{ server *Server }

var (
	redisUpDesc         = prometheus.NewDesc("mailauthd_redis_up", "1 while Redis is used, 0 while it is set aside.", nil, nil)
	redisRoundTripsDesc = prometheus.NewDesc("mailauthd_redis_round_trips_total", "Calls of Redis that logins have made.", nil, nil)
	redisUnsentDesc     = prometheus.NewDesc("mailauthd_redis_unsent", "Failures and successes that wait until Redis answers.", nil, nil)
	redisDroppedDesc    = prometheus.NewDesc("mailauthd_redis_dropped_total", "Failures and successes that Redis never gets, because too many waited.", nil, nil)
)

func newRedisSetAside() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: "mailauthd_redis_set_aside_total", Help: "How often Redis was set aside."})
}

func (m redisMetrics) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{redisUpDesc, redisRoundTripsDesc, redisUnsentDesc, redisDroppedDesc} {
		c <- d
	}
}

func (m redisMetrics) Collect(c chan<- prometheus.Metric) {
	st := m.server.state.Load()
	if st == nil || st.redis == nil {
		return
	}
	up := 0.0
	if used, _, _ := st.redis.Up(); used {
		up = 1
	}
	_, unsent, dropped := st.auth.Held()
	c <- prometheus.MustNewConstMetric(redisUpDesc, prometheus.GaugeValue, up)
	c <- prometheus.MustNewConstMetric(redisRoundTripsDesc, prometheus.CounterValue, float64(st.redis.RoundTrips()))
	c <- prometheus.MustNewConstMetric(redisUnsentDesc, prometheus.GaugeValue, float64(unsent))
	c <- prometheus.MustNewConstMetric(redisDroppedDesc, prometheus.CounterValue, float64(dropped))
}
